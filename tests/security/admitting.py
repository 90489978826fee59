"""A host with its two sockets, and clients that try to come in: real sockets and keys, one thread, turned by hand."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import ledger

from services.hosting.durable_memory import DurableMemory
from services.hosting.host import MemoryHost
from srl_common.errors import RefusedError
from srl_common.link import Link, new_incarnation
from srl_common.messages import Role
from srl_common.transport import Client, Server

JOB = "a" * 64
TIMEOUT_S = 20.0
ENDPOINTS = ("worker", "trainer")


class House:
    """A `MemoryHost` behind the two sockets that a memory service has."""

    def __init__(self, keys, uri="tcp://127.0.0.1:*"):
        memory = DurableMemory(ledger.Memory(ledger.Config()), JOB, None, 8, 8, 1 << 20, keeps_batches=True)
        memory.recover()
        self.host = MemoryHost(memory, JOB, time.monotonic)
        self.servers = {endpoint: Server(uri, keys=keys) for endpoint in ENDPOINTS}
        self._server_of = {}
        self.heard = []
        """The frames that reached the host."""

    def turn(self):
        for server in self.servers.values():
            while (received := server.receive()) is not None:
                incarnation, frames, role = received
                self.heard.append([bytes(frame) for frame in frames])
                self._server_of[incarnation] = server
                self.host.handle(incarnation, frames, role)
        while self.host.outbox:
            incarnation, frames = self.host.outbox.popleft()
            self._server_of[incarnation].send(incarnation, frames)

    def uri(self, endpoint):
        return self.servers[endpoint].uri

    def close(self):
        for server in self.servers.values():
            server.close()


class Guest:
    """A client of a house: tries to be welcomed, and keeps what it was told instead."""

    def __init__(self, house, endpoint, role, keys, job=JOB):
        self.house = house
        incarnation = new_incarnation()
        client = Client(house.uri(endpoint), incarnation, keys)
        self.link = Link(client, Role(role), f"a-{role}", incarnation, job, time.monotonic, dict, 1)
        self.refusal = ""

    def try_until(self, condition):
        """Talk until `condition`, a refusal, or no more time; tell whether the condition came true."""
        end_s = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end_s and not self.refusal:
            self.house.turn()
            try:
                self.link.wait(0.01)
            except RefusedError as error:
                self.refusal = str(error)
            if condition():
                return True
        return False

    def is_admitted(self, caplog):
        """Try to be welcomed until that is so, or it has been said why not."""
        caplog.clear()
        self.try_until(lambda: self.link.welcomed or self.said(caplog))
        return self.link.welcomed

    def said(self, caplog):
        """Return why it is not in: the refusal, or the warning that its user reads."""
        warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
        return self.refusal or next((text for text in warnings if text.startswith("no connection to")), "")

    def close(self):
        self.link.close()
