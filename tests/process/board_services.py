"""The three services as an operator starts them to wait for jobs: over tcp on free ports, without keys."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from running import Service, free_port

from srl_common.settings import variable

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("memory", "learner", "actor")


class BoardServices:
    """A memory service, a learner and an actor that wait for jobs."""

    def __init__(self, folder: Path, store: str) -> None:
        self.store = store
        self._stack = contextlib.ExitStack()
        settings = {
            "board": 1,
            "store": store,
            "memory_uri": f"tcp://127.0.0.1:{free_port()}",
            "trainer_uri": f"tcp://127.0.0.1:{free_port()}",
            "journal_dir": folder / "journal",
            "chunk_items": 16,
            "snapshot_interval_s": 0.1,
            "parameter_interval_s": 0.05,
        }
        self._folder = folder
        self._environ = {variable(name): str(value) for name, value in settings.items()}
        self.services: dict[str, Service] = {}
        for kind in KINDS:
            self.start(kind)

    def start(self, kind: str) -> None:
        """Start a service."""
        environ = {**self._environ, "SRL_NAME": kind, "SRL_METRICS_BIND": "off"}
        service = Service(kind, self._folder, environ)
        self._stack.callback(service.close)
        self.services[kind] = service

    @property
    def said(self) -> str:
        return "\n".join(service.said for service in self.services.values())

    def close(self) -> None:
        self._stack.close()
