"""Fixtures that several folders of tests use."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

# Services are started hundreds of times: their files are compiled once, whatever a machine is set to.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell starts what it runs in the background deaf to Ctrl-C, which tests of Ctrl-C send to their own children.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that others use too is slow, and nothing is wrong with it.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()
