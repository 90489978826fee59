"""docs/runner.md: its blocks, in their order, are one program that does what the page says."""

import importlib
import os

import matplotlib as mpl
import pytest
from markdown import ROOT, blocks

PAGE = ROOT / "docs" / "runner.md"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Run the blocks in a folder of their own; those with classes as a module, which services find too."""
    mpl.use("agg")
    folder = tmp_path_factory.mktemp("page")
    python = blocks(PAGE, "python")
    classes = [block for block in python if "\nclass " in block]
    (folder / "runner_page.py").write_text("\n\n".join(classes), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        patch.syspath_prepend(str(folder))
        names = dict(vars(importlib.import_module("runner_page")))
        for block in python:
            if block not in classes:
                exec(compile(block, str(PAGE), "exec"), names)
        names["last_state"] = names["runner"].state
        yield names, folder


def test_it_learns(page):
    names, _ = page
    assert len(names["rewards"]) == 20
    assert sum(names["runner"].evaluate(100, enable_progress=False)) / 100 > 0.3


def test_callbacks_end_runs_in_one_process_and_in_many(page):
    names, _ = page
    assert names["state"].end_reason == names["last_state"].end_reason == "callback.intermediate_stop"


def test_it_goes_on_from_checkpoints(page):
    names, folder = page
    assert names["resumed"].trainer.train_count > 0
    assert any(name.endswith("_last.pickle") for name in os.listdir(folder / "out" / "checkpoints"))


def test_histories_have_the_columns_that_the_page_names(page):
    names, folder = page
    assert {"reward0", "eval_reward0", "trainer_size", "episode_step", "memory"} <= set(names["history"].names())
    assert (folder / "out" / "history.png").stat().st_size > 5000
    assert (folder / "out" / "compared.png").stat().st_size > 5000
    assert {"actor0.txt", "actor1.txt", "trainer.txt"} <= set(os.listdir(folder / "out" / "faster"))


def test_it_comes_back_from_mlflow(page):
    names, _ = page
    assert names["found"].parameter.backup() == names["tracked"].parameter.backup()


def test_files_are_written_where_the_page_says(page):
    _, folder = page
    assert {"parameter.dat", "memory.dat", "run.yaml"} <= set(os.listdir(folder / "out"))
