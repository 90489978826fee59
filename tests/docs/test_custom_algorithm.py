"""docs/custom_algorithm.md: its blocks, put together, are an algorithm that trains, and the example."""

import importlib

import numpy as np
import pytest
from markdown import ROOT, blocks

import srl

PAGE = ROOT / "docs" / "custom_algorithm.md"


def lines(text):
    return [line for line in text.splitlines() if line.strip()]


def test_the_example_is_what_the_page_says():
    docstring, *example = lines((ROOT / "examples" / "custom_algorithm.py").read_text(encoding="utf-8"))
    assert docstring.startswith('"""')
    assert example == lines("".join(blocks(PAGE, "python")))


@pytest.fixture(scope="module")
def algorithm(tmp_path_factory):
    """The page's blocks as a module, in a folder that services find too."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "page_algorithm.py").write_text("\n\n".join(blocks(PAGE, "python")), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module("page_algorithm")


def test_it_trains_in_one_process(algorithm):
    runner = srl.Runner("Grid", algorithm.Config())
    runner.set_seed(1)
    runner.train(max_train_count=40_000, enable_progress=False)
    assert mean_reward(runner) > 0.4


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_it_trains_in_the_services(algorithm, enable_mp_memory):
    runner = srl.Runner("Grid", algorithm.Config())
    runner.train_mp(actor_num=2, max_train_count=80_000, enable_mp_memory=enable_mp_memory, enable_progress=False)
    assert mean_reward(runner) > 0.4


def mean_reward(runner):
    """Grid's optimum is about 0.7; random play has about -1.3."""
    return np.mean(runner.evaluate(200, enable_progress=False))


def test_its_memory_is_saved_and_loaded(algorithm, tmp_path):
    runner = srl.Runner("Grid", algorithm.Config())
    runner.rollout(max_steps=100, enable_progress=False)
    length = runner.memory.length()
    runner.save_memory(tmp_path / "memory")
    other = srl.Runner("Grid", algorithm.Config())
    other.load_memory(tmp_path / "memory")
    assert other.memory.length() == length == 100


def test_a_wrong_epsilon_is_refused(algorithm):
    with pytest.raises(ValueError, match="epsilon is 2; it must be between 0 and 1"):
        srl.Runner("Grid", algorithm.Config(epsilon=2))
