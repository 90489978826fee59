"""How a Redis is connected to."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from srl_common.errors import SettingError

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
            **(_credentials(keys_dir) if "@" not in urlsplit(url).netloc else {}),
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


def _credentials(keys_dir: str) -> dict[str, str]:
    if not keys_dir:
        return {}
    path = Path(keys_dir) / "redis.auth"
    try:
        user, colon, password = path.read_text(encoding="utf-8").strip().partition(":")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingError(f"SRL_KEYS_DIR: {path} cannot be read: {error.strerror}") from error
    if not colon:
        raise SettingError(f"SRL_KEYS_DIR: {path} is not one line user:password")
    return {"username": user, "password": password}
