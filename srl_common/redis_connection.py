"""How a Redis is connected to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from srl_common.errors import SettingError
from srl_common.security import load_redis_login

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
READ_BYTES = 1 << 18
"""Snapshots are large: a large answer takes fewer reads."""


def connect(url: str, keys_dir: str) -> Any:
    """Return a client, which connects at its first command. Raises SettingError.

    Args:
        url: redis://user:password@host:port/db, rediss:// or unix://.
        keys_dir: the folder whose `redis.auth` has "user:password" for an address without them; "": none.
    """
    try:
        # The annotations of redis-py change from version to version.
        return redis.Redis.from_url(
            url,
            **(_login(keys_dir) if "@" not in urlsplit(url).netloc else {}),
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            socket_read_size=READ_BYTES,
            retry=Retry(NoBackoff(), 1),  # one, at once: for a connection that Redis dropped while idle
        )
    except ValueError:
        raise SettingError(f"{without_password(url)} is no Redis address: redis://user:password@host:port/db") from None


def without_password(url: str) -> str:
    """Return an address that may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _login(keys_dir: str) -> dict[str, str]:
    user, password = load_redis_login(keys_dir)
    return {"username": user, "password": password} if user else {}
