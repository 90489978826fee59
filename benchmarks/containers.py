"""A cluster of containers, as `docker compose` makes it from the repository's files: for benchmarks and for tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
FILES = ("docker-compose.yml", "ops/compose/submit.yml")
IMAGE = "srl-cluster:test"
SERVICES = ("redis", "memory", "learner", "actor", "prometheus")
"""Without Grafana, whose image cannot be had everywhere that this runs: its queries are put to Prometheus instead."""
PATIENCE_S = 150.0
"""What takes seconds on a machine of its own may take a minute on one that others use."""
COMMAND_TIMEOUT_S = 120.0
BUILD_TIMEOUT_S = 540.0
STEPS_BY_ACTOR = 'srl_env_steps_total{job="actor"} > 0'
TRAINED = "max(srl_train_count_total)"


def engine_is_here() -> bool:
    """Tell whether there is an engine that answers, and Compose."""
    if shutil.which("docker") is None:
        return False
    asked = (["docker", "info"], ["docker", "compose", "version"])
    return all(subprocess.run(ask, capture_output=True, timeout=30, check=False).returncode == 0 for ask in asked)


def until(condition: Callable[[], Any], what: str, timeout_s: float) -> Any:
    """Return the first true value of `condition`; fail when there is none in time."""
    end_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end_s, f"it never came to this: {what}"
        time.sleep(0.25)
    return value


def _paths(files: tuple[str, ...]) -> str:
    return os.pathsep.join(str(ROOT / file) for file in files)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """One project of Compose, with ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = f"srltest{os.getpid()}"
        self.network = f"{self.project}_cluster"
        self._redis_port, self._prometheus_port = _free_port(), _free_port()
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SRL_")},
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": _paths(FILES),
            "COMPOSE_PROGRESS": "plain",
            "DOCKER_BUILDKIT": "0",
            "SRL_IMAGE": IMAGE,
            "SRL_LEARNER_IMAGE": IMAGE,
            "REDIS_PORT": str(self._redis_port),
            "PROMETHEUS_PORT": str(self._prometheus_port),
        }

    def use(self, *files: str, **variables: str) -> None:
        """Take these files of Compose beside those of the beginning, and these variables, from now on."""
        self._environ |= {"COMPOSE_FILE": _paths((*FILES, *files)), **variables}

    # --- commands

    def compose(self, *args: str, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """Run `docker compose`; return what it wrote to standard output."""
        return self._run("docker", "compose", *args, timeout_s=timeout_s)

    def docker(self, *args: str, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """Run `docker`; return what it wrote to standard output."""
        return self._run("docker", *args, timeout_s=timeout_s)

    def _run(self, *command: str, timeout_s: float) -> str:
        done = subprocess.run(
            command, env=self._environ, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def build(self) -> None:
        """Build the image that all services of ours run."""
        self.compose("build", "keys", timeout_s=BUILD_TIMEOUT_S)

    def up(self, actors: int, *more: str) -> None:
        """Bring all up, with services that a file adds; wait until each is healthy."""
        self.compose("up", "-d", "--wait", "--no-build", "--scale", f"actor={actors}", *SERVICES, *more)

    def scale(self, actors: int) -> None:
        """Have so many actors."""
        self.compose("up", "-d", "--no-build", "--no-recreate", "--no-deps", "--scale", f"actor={actors}", "actor")

    def srl(self, *args: str) -> str:
        """Run the command line in a container of its own; return what it printed."""
        return self.compose("run", "--rm", "--no-deps", "-T", "cli", *args)

    def said(self) -> str:
        """Return the end of what all services said, and how the containers are."""
        commands = (["docker", "compose", "ps", "--all"], ["docker", "compose", "logs", "--no-color", "--tail", "30"])
        done = [
            subprocess.run(each, env=self._environ, cwd=ROOT, capture_output=True, text=True, check=False)
            for each in commands
        ]
        return "\n".join(each.stdout + each.stderr for each in done)

    def remove(self) -> None:
        """Leave no container, network or volume."""
        self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5")

    # --- containers

    def containers(self, service: str) -> list[str]:
        """Return the ids of the service's containers that run."""
        return self.compose("ps", "--quiet", service).split()

    def inspect(self, container: str) -> dict[str, Any]:
        """Return what the engine knows of a container."""
        return dict(json.loads(self.docker("inspect", container))[0])

    def is_healthy(self, container: str) -> bool:
        """Tell whether it runs, and its health check says so."""
        state = self.inspect(container)["State"]
        return state["Status"] == "running" and state.get("Health", {}).get("Status") == "healthy"

    def kill(self, service: str) -> str:
        """Kill -9 the first container's process from outside, as no engine would; return the container's id."""
        container = self.containers(service)[0]
        os.kill(int(self.inspect(container)["State"]["Pid"]), signal.SIGKILL)
        return container

    def is_back(self, container: str) -> bool:
        """Tell whether the engine has started it again after it was killed, and it is healthy."""
        return self.inspect(container)["RestartCount"] > 0 and self.is_healthy(container)

    def died(self, since: float) -> dict[str, list[int]]:
        """Return by service the exit codes of the containers that have ended since a time."""
        text = self.docker(
            "events", "--since", str(since), "--until", str(time.time()), "--format", "{{json .Actor.Attributes}}",
            "--filter", "event=die", "--filter", f"label=com.docker.compose.project={self.project}",
        )  # fmt: skip
        codes: dict[str, list[int]] = {}
        for line in text.splitlines():
            attributes = json.loads(line)
            codes.setdefault(attributes["com.docker.compose.service"], []).append(int(attributes["exitCode"]))
        return codes

    # --- from outside

    @property
    def uri(self) -> str:
        """The cluster's address for programs of this machine."""
        return f"redis://127.0.0.1:{self._redis_port}/0"

    def client_keys(self) -> Path:
        """Return a folder with a copy of a client's keys."""
        folder = self.folder / "client"
        if not folder.exists():
            self.compose("cp", "keys:/keys/client", str(folder))
        return folder

    def query(self, expr: str) -> list[tuple[dict[str, str], float]]:
        """Return (labels, value) of each series that Prometheus answers."""
        asked = urllib.parse.urlencode({"query": expr})
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self._prometheus_port}/api/v1/query?{asked}", timeout=10
        ) as answer:
            data = json.load(answer)["data"]
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(each["metric"], float(each["value"][1])) for each in data["result"]]

    def value(self, expr: str) -> float:
        """Return the one value that Prometheus answers; 0 when there is none."""
        found = self.query(expr)
        assert len(found) <= 1, f"{expr} has several: {found}"
        return found[0][1] if found else 0.0
