"""docs/training_in_a_cluster.md: its blocks, in their order, are one program, which runs with a cluster."""

import sys

import pytest
from markdown import ROOT, blocks

sys.path.insert(0, str(ROOT / "tests" / "process"))

from board_services import BoardServices

from services.jobs.job_file import load_job

PAGE = ROOT / "docs" / "training_in_a_cluster.md"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Run the blocks with a cluster of this machine, and keep the job file as a file."""
    folder = tmp_path_factory.mktemp("cluster")
    services = BoardServices(folder, f"dir://{folder}/store")
    names = {}
    try:
        for block in blocks(PAGE, "python"):
            if block.startswith("# my_algorithm.py"):
                (folder / "my_algorithm.py").write_text(block, encoding="utf-8")
                continue
            text = block.replace("redis://localhost:6379/0", services.store)
            text = text.replace('host="localhost"', f"url={services.store!r}")
            exec(compile(text, str(PAGE), "exec"), names)
        yield names, folder
    finally:
        services.close()


def test_it_learns_there_and_comes_back(page):
    names, _ = page
    assert names["runner"].trainer.train_count >= 4000
    assert len(names["rewards"]) == 20


def test_jobs_end_and_are_found_again(page):
    names, _ = page
    assert names["again"].trainer.train_count >= 4000
    assert names["manager"].is_finished()
    assert names["trained"].parameter.backup() == names["runner"].parameter.backup()


def test_the_job_file_is_one(page, monkeypatch):
    _, folder = page
    monkeypatch.setattr(sys, "path", [*sys.path])
    job = load_job(folder / "my_algorithm.py")
    assert (job.name, job.context["max_train_count"]) == ("a trial", 500)
    del sys.modules["my_algorithm"]
