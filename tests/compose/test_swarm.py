"""The stack file, deployed on a swarm of this one machine, runs the default job."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.containers import IMAGE, PATIENCE_S, ROOT, until
from srl_common.security import make_keys

STACK = f"srlswarm{os.getpid()}"
SERVICES = {"redis": 1, "memory": 1, "learner": 1, "actor": 2, "prometheus": 1}
"""Without Grafana, whose image cannot be had everywhere that the tests run."""

pytestmark = pytest.mark.timeout(600)


def docker(*args: str) -> str:
    environ = {**os.environ, "SRL_IMAGE": IMAGE, "SRL_LEARNER_IMAGE": IMAGE}
    done = subprocess.run(["docker", *args], env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def stack(cluster, tmp_path_factory):
    """Return a copy of ops with keys, from which the stack was deployed on a swarm that is no longer than the tests."""
    if docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip() != "inactive":
        pytest.skip("this engine is a part of a swarm already")
    ops = tmp_path_factory.mktemp("checkout") / "ops"
    shutil.copytree(ROOT / "ops", ops)
    make_keys(ops / "swarm" / "keys")
    docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377")
    try:
        docker("node", "update", "--label-add", "srl.data=true", docker("node", "ls", "--quiet").strip())
        docker("stack", "deploy", "--resolve-image", "never", "--compose-file", str(ops / "swarm" / "stack.yml"), STACK)
        yield ops
        docker("stack", "rm", STACK)
        until(lambda: not _containers(), "the tasks are gone", PATIENCE_S)
    finally:
        docker("swarm", "leave", "--force")
    docker("volume", "rm", *docker("volume", "ls", "--quiet", "--filter", f"name={STACK}_").split())


def _containers() -> str:
    return docker("ps", "--all", "--quiet", "--filter", f"name={STACK}_")


def _replicas() -> dict[str, str]:
    lines = docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").splitlines()
    return dict(line.removeprefix(f"{STACK}_").split() for line in lines)


def _jobs(keys: Path) -> list[dict]:
    client = ["-v", f"{keys}:/keys:ro", "-e", "SRL_STORE=redis://redis:6379/0", "-e", "SRL_KEYS_DIR=/keys"]
    run = ["run", "--rm", "--no-healthcheck", "--network", f"{STACK}_cluster", "--user", str(os.getuid())]
    return json.loads(docker(*run, *client, IMAGE, "srl", "jobs", "--json"))


def test_the_default_job_runs_in_a_swarm(stack):
    wanted = {name: f"{count}/{count}" for name, count in SERVICES.items()}
    until(lambda: wanted.items() <= _replicas().items(), "all tasks run and are healthy", PATIENCE_S)
    keys = stack / "swarm" / "keys" / "client"
    (job,) = until(lambda: [job for job in _jobs(keys) if job["updates"]], "the default job trains", PATIENCE_S)
    assert job["state"] == "running"
    until(lambda: len(_actors()) == SERVICES["actor"], "Prometheus finds both actors", PATIENCE_S)


def _actors() -> list[str]:
    """Return the actors that Prometheus has found by DNS: one name stands for the address of each."""
    (prometheus,) = docker("ps", "--quiet", "--filter", f"name={STACK}_prometheus").split()
    url = "http://127.0.0.1:9090/api/v1/query?query=srl_env_steps_total"
    answer = json.loads(docker("exec", prometheus, "wget", "-q", "-O", "-", url))
    return [each["metric"]["instance"] for each in answer["data"]["result"]]
