"""docs/algorithms.md: each block runs, and the algorithm with a network of one's own learns, by either framework."""

import importlib

import numpy as np
import pytest
from markdown import ROOT, blocks

import srl
from srl.test.rl import test_rl as check_rl

*SHORT, OWN = blocks(ROOT / "docs" / "algorithms.md", "python")
IMPORTS = "\n".join(line for line in "".join(SHORT).splitlines() if line.startswith(("import ", "from ")))


@pytest.mark.parametrize("number", range(len(SHORT)))
def test_a_block_runs(number):
    if "torch" in SHORT[number]:
        pytest.importorskip("torch")
    exec(f"{IMPORTS}\n{SHORT[number]}", {})


@pytest.fixture(scope="module")
def algorithm(tmp_path_factory):
    """The page's algorithm as a module."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "page_reinforce.py").write_text(OWN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module("page_reinforce")


def test_the_algorithm_with_a_network_learns(algorithm):
    runner = srl.Runner("EasyGrid-layer", algorithm.Config())
    runner.set_seed(1)
    runner.train(max_steps=20_000, enable_progress=False)
    assert np.mean(runner.evaluate(20, enable_progress=False)) >= 0.9


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_the_algorithm_with_a_network_passes_the_kit(algorithm, framework):
    if framework == "torch":
        pytest.importorskip("torch")
    check_rl(algorithm.Config(framework=framework), test_render_window=False)


def test_every_algorithm_is_in_the_table():
    table = (ROOT / "docs" / "algorithms.md").read_text(encoding="utf-8").partition("##")[0]
    names = {file.stem for file in (ROOT / "srl" / "algorithms").glob("*.py")} - {"__init__"}
    assert {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")} == names
