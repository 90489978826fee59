"""A real Prometheus and its tool `promtool`, as a test uses them."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "ops" / "prometheus" / "prometheus.yml"
IMAGE = "prom/prometheus"


def promtool(*args: str, folder: Path = ROOT, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run promtool in a folder, from this machine or from an image that is here; skip the test where there is none."""
    return subprocess.run(
        [*_promtool(folder), *args], cwd=folder, input=stdin, capture_output=True, timeout=60, check=False
    )


def _promtool(folder: Path) -> Sequence[str]:
    if shutil.which("promtool"):
        return ["promtool"]
    if shutil.which("docker"):
        images = subprocess.run(["docker", "images", "-q", IMAGE], capture_output=True, check=False).stdout
        if images.strip():
            mounts = [arg for each in {ROOT, folder} for arg in ("-v", f"{each}:{each}:ro")]
            image = images.split()[0].decode()
            return ["docker", "run", "--rm", "-i", *mounts, "-w", str(folder), "--entrypoint", "promtool", image]
    pytest.skip("no promtool here, and no image with it")


class Prometheus:
    """A Prometheus that scrapes the given pages as the repository's configuration says, only faster.

    Args:
        folder: its own.
        targets: host:port of pages, by scrape job.
    """

    def __init__(self, folder: Path, targets: Mapping[str, Sequence[str]]) -> None:
        binary = shutil.which("prometheus")
        if binary is None:
            pytest.skip("no prometheus here")
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(_config(targets)))
        self.port = _free_port()
        self._log = folder / "prometheus.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    binary,
                    f"--config.file={config}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def get(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of the HTTP API. An error of the query is an AssertionError."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
                raise  # it is not ready yet
            with error:
                raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def wait_until_up(self, targets: int, timeout_s: float = 60.0) -> None:
        """Wait until so many targets are scraped."""
        end_s = time.monotonic() + timeout_s
        while self._up() < targets:
            assert time.monotonic() < end_s, self._log.read_text()
            time.sleep(0.1)

    def _up(self) -> int:
        try:
            return len(self.query("up == 1"))
        except OSError:
            return 0

    def query(self, expr: str) -> list[float]:
        """Return the values of an expression now, without those that are no number."""
        values = (float(each["value"][1]) for each in self.get("query", query=expr)["result"])
        return [value for value in values if value == value]


def _config(targets: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    config = yaml.safe_load(CONFIG.read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(CONFIG.parent / pattern) for pattern in config["rule_files"]]
    for job in config["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": list(targets.get(job["job_name"], ()))}]
    return config


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
