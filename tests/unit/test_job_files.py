"""The author's files that travel with a job, and how they become importable elsewhere."""

import ast
import contextlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from services.jobs import job_files
from srl_common.errors import StorageError, UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def author(tmp_path, monkeypatch):
    """A folder of an author, where modules are looked for; write a file with `author(name, text)`."""
    folder = tmp_path / "author"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def write(name, text=""):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files of this test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(job_files.tempfile, "tempdir", str(folder))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return folder


# --- which they are


def test_a_module_travels_with_what_it_imports_of_the_authors(author):
    author("helper.py", "import further")
    author("further.py", "import algorithm")  # in a circle
    author("unrelated.py")
    author("pack/__init__.py")
    author("pack/inner/__init__.py", "from . import near\nfrom .. import uncle")
    author("pack/inner/near.py")
    author("pack/uncle.py")
    author("pack/other.py")
    author("spread/part.py")  # a package without __init__.py
    text = """
        import json
        import numpy as np
        import not_there
        from srl.algorithms import ql
        from pack.inner import near
        def later():
            import helper
            import spread.part
    """
    files = job_files.collect({"algorithm": author("algorithm.py", text)})
    assert sorted(files) == [
        "algorithm.py", "further.py", "helper.py", "pack/__init__.py", "pack/inner/__init__.py",
        "pack/inner/near.py", "pack/uncle.py", "spread/part.py",
    ]  # fmt: skip
    assert files["algorithm.py"] == textwrap.dedent(text).encode()


def test_a_part_of_a_package_travels_with_the_packages_that_it_is_in(author):
    author("pack/__init__.py", "import beside")
    author("pack/inner/__init__.py")
    author("beside.py")
    files = job_files.collect({"pack.inner.mine": author("pack/inner/mine.py", "from ..far import x")})
    assert sorted(files) == ["beside.py", "pack/__init__.py", "pack/inner/__init__.py", "pack/inner/mine.py"]


def test_what_is_imported_already_travels_as_it_is_here(author, monkeypatch):
    elsewhere = author("below/helper.py")
    monkeypatch.setitem(sys.modules, "helper", type(sys)("helper"))
    sys.modules["helper"].__file__ = str(elsewhere)
    author("helper.py", "other = 1")
    assert job_files.collect({"mine": author("mine.py", "import helper")})["helper.py"] == b""


def test_what_lies_elsewhere_stays_there(author, tmp_path, monkeypatch):
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "large.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "library"))
    assert list(job_files.collect({"mine": author("mine.py", "import large")})) == ["mine.py"]


@pytest.mark.parametrize(
    "file",
    [
        Path(ast.__file__),
        Path(pytest.__file__),
        ROOT / "srl" / "algorithms" / "ql.py",
        ROOT / "services" / "job.py",
        Path("/author/fast.so"),
        Path("/usr/lib/python3/dist-packages/numpy/random.py"),
    ],
)
def test_what_is_installed_compiled_or_ours_does_not_travel(file):
    assert not job_files.travels(file)


def test_an_imported_file_that_is_no_python_is_named_with_its_line(author):
    broken = author("broken.py", "x = 1\nif\n")
    with pytest.raises(UserError, match=rf"{broken}:2: .* cannot take this file along"):
        job_files.collect({"mine": author("mine.py", "def later(): import broken")})


def test_files_that_are_too_large_are_named(author, monkeypatch):
    monkeypatch.setattr(job_files, "FILES_BYTES_MAX", 100)
    author("table.py", "x = '" + "y" * 200 + "'")
    with pytest.raises(
        UserError, match=r"2 files of the job have \d+ bytes, .* 100 bytes .*largest: table.py, mine.py"
    ):
        job_files.collect({"mine": author("mine.py", "import table")})


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(job_files, "FILES_MAX", 2)
    job_files.check({"a.py": b"", "b.py": b""})
    with pytest.raises(UserError, match="more than 2 files"):
        job_files.check({"a.py": b"", "b.py": b"", "c.py": b""})


# --- where the job is run


def test_files_are_unpacked_where_only_this_user_reads_and_are_found_first(temporary, monkeypatch):
    folder = job_files.unpack({"my_unpacked.py": b"value = 3", "pack/deep/part.py": b""})
    try:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
        assert sys.path[0] == str(folder)
        assert (folder / "pack" / "deep" / "part.py").is_file()
        import my_unpacked

        assert my_unpacked.value == 3
        assert my_unpacked.__file__ == str(folder / "my_unpacked.py")
    finally:
        sys.modules.pop("my_unpacked", None)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/evil.py", "../evil.py", "a/../../evil.py", "a//b.py", "./a.py", "", ".", "evil", "evil.so", "evil.pth",
        "a\\b.py", "c:evil.py", "a\0.py", "a/", "sitecustomize.pyc",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused_before_anything_is_written(temporary, name):
    with pytest.raises(UserError, match="only .py files below the job's own folder can travel"):
        job_files.unpack({"fine.py": b"", name: b""})
    assert list(temporary.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(temporary):
    with pytest.raises(StorageError, match=r"cannot be unpacked in .*temporary: .*TMPDIR"):
        job_files.unpack({"a.py": b"", "a.py/b.py": b""})


UNPACK = """
import os, sys
from services.jobs import job_files
print(job_files.unpack({"mine.py": b""}), flush=True)
"""


def unpacked_by_another(temporary, then):
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    done = subprocess.run(
        [sys.executable, "-c", UNPACK + then], capture_output=True, text=True, timeout=60, env=environ
    )
    return Path(done.stdout.splitlines()[0])


def test_the_folder_goes_with_its_process(temporary):
    assert not unpacked_by_another(temporary, "").exists()


@pytest.mark.parametrize(
    "then",
    ["os.kill(os.getpid(), 9)", "os.execv(sys.executable, [sys.executable, '-c', ''])"],
    ids=["killed", "replaced"],
)
def test_what_a_process_left_behind_is_removed_by_the_next(temporary, then):
    left = unpacked_by_another(temporary, then)
    assert left.is_dir()
    mine = job_files.unpack({"mine.py": b""})
    assert not left.exists()
    job_files.unpack({"mine.py": b""})
    assert mine.is_dir()  # a process that lives is left alone, this one too


def test_a_folder_that_goes_while_it_is_looked_at_does_not_matter(temporary, monkeypatch):
    gone = temporary / f"{job_files.PREFIX}gone"
    monkeypatch.setattr(Path, "glob", lambda *_args: iter([gone]))
    assert job_files.unpack({"mine.py": b""}).is_dir()


def test_what_others_own_is_left_alone(temporary, monkeypatch):
    foreign = temporary / f"{job_files.PREFIX}foreign"
    foreign.mkdir()
    (temporary / f"{job_files.PREFIX}link").symlink_to(ROOT)
    (temporary / f"{job_files.PREFIX}file").write_text("")
    own = os.getuid()
    with monkeypatch.context() as patch:
        patch.setattr(job_files.os, "getuid", lambda: own + 1)
        job_files.unpack({"mine.py": b""})
    assert foreign.is_dir()
    job_files.unpack({"mine.py": b""})
    assert not foreign.exists()
    assert (ROOT / "srl").is_dir()
    with contextlib.suppress(FileNotFoundError):
        (temporary / f"{job_files.PREFIX}link").unlink()
