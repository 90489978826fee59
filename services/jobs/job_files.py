"""The author's files that travel with a job: which they are, and how they become importable where the job is run.

They are the files of the modules that the job names, and what these import of the author's from the same folders and
packages, found in their import statements: whoever makes the job of the same files finds the same, whatever else is
loaded there. What Python or pip installed, and SRL itself, stays where it is.
"""

from __future__ import annotations

import ast
import atexit
import fcntl
import importlib
import os
import shutil
import sys
import tempfile
from importlib.machinery import PathFinder
from importlib.util import resolve_name
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import srl
from services.author import is_authors
from srl_common.errors import StorageError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILES_BYTES_MAX = 16 << 20
"""All files of a job together."""
FILES_MAX = 1000
PREFIX = "srl-job-"
"""Begins the names of the folders that files are unpacked into, in the system's folder for temporary files."""

_SRL = Path(str(srl.__file__)).parent.resolve()


# --- where the job is made


def collect(named: Mapping[str, Path]) -> dict[str, bytes]:
    """Return the files that travel, by relative path; `named` are modules' files by the names they are imported under.

    Raises UserError when they are too large to travel, or when one of them is no Python.
    """
    importlib.invalidate_caches()  # files may be new
    roots = {_root(name, file) for name, file in named.items()}
    found: dict[str, Path] = {}
    waiting = list(named.items())
    while waiting:
        name, file = waiting.pop()
        if name not in found and travels(file):
            found[name] = file
            imported = {each: _find(each) for each in _imports(name, file)}
            waiting += [(each, path) for each, path in imported.items() if path and _is_below(path, roots)]
    files = {relative_path(name, file): file.read_bytes() for name, file in sorted(found.items())}
    check(files)
    return files


def travels(file: Path) -> bool:
    """Tell whether a file is the author's own Python: not SRL's, and neither installed nor compiled."""
    return file.suffix == ".py" and is_authors(str(file)) and not file.is_relative_to(_SRL)


def relative_path(name: str, file: Path) -> str:
    """Return the place of a module's file below the folder that it is imported from."""
    inside = name.replace(".", "/")
    return f"{inside}/__init__.py" if file.name == "__init__.py" else f"{inside}.py"


def _root(name: str, file: Path) -> Path:
    """Return the folder that a module is imported from."""
    return file.parents[relative_path(name, file).count("/")]


def _is_below(file: Path, roots: set[Path]) -> bool:
    return any(file.is_relative_to(root) for root in roots)


def _find(name: str) -> Path | None:
    """Return the file of a module, which is not imported for that; None: it has none, or is not here."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return _resolved(getattr(loaded, "__file__", None))
    path, spec = None, None
    for end in [i for i, letter in enumerate(f"{name}.") if letter == "."]:
        spec = PathFinder.find_spec(name[:end], path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or [])
    return _resolved(spec.origin if spec is not None and spec.has_location else None)


def _resolved(file: str | None) -> Path | None:
    return Path(file).resolve() if file else None


def _imports(name: str, file: Path) -> set[str]:
    """Return the names of what a module may import, and of the packages that these and itself are in."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    imported = {name}
    for node in ast.walk(_parse(file)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (package or not node.level):
            base = resolve_name("." * node.level + (node.module or ""), package)
            imported |= {f"{base}.{alias.name}" for alias in node.names}
    return {each for full in imported for each in _with_packages(full)} - {name}


def _parse(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        raise UserError(f"{file}:{error.lineno}: {error.msg}: the job cannot take this file along") from None


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])


# --- where the job is run


def check(files: Mapping[str, bytes]) -> None:
    """Raise UserError unless all names lie below one folder, and the files are few and small enough."""
    for name in files:
        if not _is_safe(name):
            raise UserError(f"the job has a file named {name!r}: only .py files below the job's own folder can travel")
    total = sum(len(data) for data in files.values())
    if total > FILES_BYTES_MAX or len(files) > FILES_MAX:
        largest = sorted(files, key=lambda name: -len(files[name]))[:3]
        raise UserError(
            f"the author's {len(files)} files of the job have {total} bytes, more than {FILES_MAX} files or "
            f"{FILES_BYTES_MAX} bytes cannot travel (largest: {', '.join(largest)}): "
            "install what is large as a package where the services are, and move data out of Python files"
        )


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    steps = path.parts
    plain = str(path) == name and not {"\\", "\0", ":"} & set(name)
    return plain and path.suffix == ".py" and not path.is_absolute() and ".." not in steps


def unpack(files: Mapping[str, bytes]) -> Path:
    """Write the files to a private folder, which comes first where modules are looked for; it goes with this process.

    Raises UserError for names that lead elsewhere, StorageError when they cannot be written.
    """
    check(files)
    try:
        _remove_left_over()
        folder = _make_folder()
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        raise StorageError(
            f"the files of the job cannot be unpacked in {tempfile.gettempdir()}: {error.strerror}; "
            "free space there, or set TMPDIR to a folder that can be written"
        ) from error
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    return folder


def _make_folder() -> Path:
    """Return a new folder, mode 0700, that is locked as long as this process runs this program."""
    new = Path(tempfile.mkdtemp(prefix=f".{PREFIX}")).resolve()
    _lock(new)
    folder = new.rename(new.with_name(new.name[1:]))  # only now do others see it, and the lock
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _remove_left_over() -> None:
    """Remove folders of processes that were killed, or that have become another program."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if (lock := _lock(folder)) is not None:
            if os.fstat(lock).st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """Return a lock on a folder, which lasts until it is closed or the process ends; None: another process has it."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
