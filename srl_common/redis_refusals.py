"""What it means when Redis refuses, and what to do about it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import redis

from srl_common.errors import AccessError, FullError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = "it is full: raise its maxmemory, or keep less with SRL_SNAPSHOT_KEEP_LAST and SRL_SNAPSHOT_KEEP_EVERY_S"
_NO_WRITES = "it takes no writes: point SRL_STORE at the primary, and see that its replicas are there"
_NO_DISK = "it cannot write to its own disk: make room there"
_NO_ACCESS = "see that user and password in SRL_STORE, or in redis.auth in SRL_KEYS_DIR, are those of its ACL file"
_AWAY = "see that Redis runs there, or correct SRL_STORE"

# By the word that an error of Redis begins with, which one from inside a script has further on.
_MEANINGS: dict[str, tuple[type[StorageError], str]] = {
    "OOM": (FullError, _FULL),
    "READONLY": (StorageError, _NO_WRITES),
    "NOREPLICAS": (StorageError, _NO_WRITES),
    "MISCONF": (StorageError, _NO_DISK),
    "WRONGPASS": (AccessError, _NO_ACCESS),
    "NOAUTH": (AccessError, _NO_ACCESS),
    "NOPERM": (AccessError, _NO_ACCESS),
}
# The client library takes that word away where it has a class for it.
_CLASSES: dict[type[redis.RedisError], str] = {
    redis.exceptions.OutOfMemoryError: "OOM",
    redis.exceptions.ReadOnlyError: "READONLY",
    redis.exceptions.NoPermissionError: "NOPERM",
    redis.exceptions.AuthenticationError: "WRONGPASS",
}


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn an error of the client library into a StorageError that says what to do.

    Args:
        what: what cannot be used, and where it is.
    """
    try:
        yield
    except redis.RedisError as error:
        kind, advice = _meaning(error)
        raise kind(f"{what} cannot be used: {error}; {advice}") from error


def _meaning(error: redis.RedisError) -> tuple[type[StorageError], str]:
    for each, word in _CLASSES.items():
        if isinstance(error, each):
            return _MEANINGS[word]
    words = str(error).replace("-", " ").split()
    return next((meaning for word, meaning in _MEANINGS.items() if word in words), (StorageError, _AWAY))
