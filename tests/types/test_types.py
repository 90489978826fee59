"""Both type checkers find nothing in right algorithms, and in wrong ones each mistake, on its line, and no other."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import right_bases
import right_q_learning

import srl

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SPECIFICATION = ROOT.parent / "shared" / "spec" / "example_q_learning.py"

RIGHT = [
    HERE / "right_q_learning.py",
    HERE / "right_bases.py",
    ROOT / "tests" / "unit" / "my_ql.py",
    ROOT / "examples" / "custom_algorithm.py",
]
WRONG = HERE / "wrong_algorithm.py"

pytestmark = pytest.mark.timeout(600)  # without its cache, mypy reads all that is installed

Finding = tuple[str, int, str]
"""File, line and the checker's word for the mistake."""


def run(tool: str, *args: str | Path) -> str:
    command = [sys.executable, "-m", tool, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def mypy() -> set[Finding]:
    """Everything that mypy finds in all files, by the project's own strict settings and with its cache."""
    out = run("mypy", "--no-error-summary", "--hide-error-context", "--no-pretty", *checked())
    found = re.findall(r"^(?:.*/)?(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", out, re.MULTILINE)
    assert len(found) == out.count(": error: ")
    return {(file, int(line), code) for file, line, code in found}


@pytest.fixture(scope="module")
def pyright() -> set[Finding]:
    """Everything that pyright finds in all files."""
    found = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, *checked()))
    assert found["summary"]["filesAnalyzed"] == len(checked())
    return {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["rule"])
        for each in found["generalDiagnostics"]
    }


def checked() -> list[Path]:
    return [*RIGHT, WRONG, *([SPECIFICATION] if SPECIFICATION.exists() else [])]


def marked(word: int) -> set[Finding]:
    """What the comments say: word 0 is mypy's, word 1 is pyright's."""
    lines = enumerate(WRONG.read_text(encoding="utf-8").splitlines(), start=1)
    marks = [(number, re.search(r"# wrong: ([\w-]+), (\w+)$", line)) for number, line in lines]
    return {(WRONG.name, number, mark.groups()[word]) for number, mark in marks if mark}


def of(findings: set[Finding], *files: Path) -> set[Finding]:
    return {finding for finding in findings if finding[0] in {file.name for file in files}}


def test_mypy_finds_nothing_in_right_algorithms(mypy: set[Finding]) -> None:
    assert of(mypy, *RIGHT) == set()


def test_pyright_finds_nothing_in_right_algorithms(pyright: set[Finding]) -> None:
    assert of(pyright, *RIGHT) == set()


def test_mypy_finds_the_mistakes(mypy: set[Finding]) -> None:
    assert of(mypy, WRONG) == marked(0)
    assert len(marked(0)) > 20


def test_pyright_finds_the_mistakes(pyright: set[Finding]) -> None:
    assert of(pyright, WRONG) == marked(1)


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="the specification is not beside this checkout")
def test_the_specifications_example_is_right_but_for_annotations(mypy: set[Finding], pyright: set[Finding]) -> None:
    untyped = {"no-untyped-def", "no-untyped-call", "var-annotated"}
    found = {code for _, _, code in of(mypy, SPECIFICATION)}
    assert found - untyped == {"assignment"}  # its `td_error = 0` becomes a float
    assert of(pyright, SPECIFICATION) == set()


def test_the_right_algorithms_run() -> None:
    for config in (right_q_learning.Config(), *right_bases.CONFIGS):
        state = srl.Runner("Grid", config).train(max_steps=20, enable_progress=False)
        assert state.total_step == 20
