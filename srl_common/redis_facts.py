"""What a Redis says of itself: its version, its clock, and how much room it has."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from srl_common.redis_connection import connect, without_password
from srl_common.redis_refusals import explained


@dataclass(frozen=True)
class Facts:
    """Of one moment."""

    version: str
    now_s: float
    """Its clock: seconds since 1970."""
    used_bytes: int
    most_bytes: int
    """0: no limit."""
    policy: str
    """What it does when it is full."""


def read_facts(url: str, keys_dir: str) -> Facts:
    """Ask a Redis. Raises StorageError when it does not answer or does not let this user in, SettingError."""
    with explained(f"the Redis {without_password(url)}"), closing(connect(url, keys_dir)) as client:
        info = client.info()
        seconds, microseconds = client.time()
    return Facts(
        str(info["redis_version"]),
        seconds + microseconds / 1e6,
        int(info["used_memory"]),
        int(info.get("maxmemory", 0)),
        str(info.get("maxmemory_policy", "")),
    )
