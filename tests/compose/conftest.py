"""A cluster of containers for the tests of this folder, made once."""

import sys
from pathlib import Path

import pytest

from benchmarks.containers import Cluster, engine_is_here

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Return a cluster whose image is built, and nothing is started; afterwards nothing is left."""
    if not engine_is_here():
        pytest.skip("no Docker engine with Compose answers here")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.build()
    yield cluster
    cluster.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show what the services said when a test fails."""
    outcome = yield
    report = outcome.get_result()
    cluster = item.funcargs.get("cluster") if hasattr(item, "funcargs") else None
    if report.failed and cluster is not None:
        report.sections.append(("the cluster", cluster.said()))
