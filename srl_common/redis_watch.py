"""Hears in Redis that a job has a newer snapshot."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    import threading

log = logging.getLogger("srl")

LOOK_EVERY_S = 5.0
"""How long a wait lasts at most where all seems well: a connection may be dead and not say so..."""
LOOK_WHEN_DEAF_S = 0.5
"""...and where notifications cannot be heard."""
LOOK_AROUND_EVERY_S = 0.1
"""How soon a wait notices that it is to end. It costs Redis nothing."""


class RedisWatch:
    """Waits until a channel says something; where it cannot be heard, until it is time to look anyway.

    It has a connection of its own, which is made anew after it was lost.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._heard: Any = None
        self._channel = ""
        self._forbidden = False

    def listen(self, channel: str) -> None:
        """Hear what is said on `channel` from now on."""
        if self._forbidden or (self._heard is not None and self._channel == channel):
            return
        self.close()
        self._heard, self._channel = self._client.pubsub(), channel
        try:
            self._heard.subscribe(channel)
        except redis.RedisError:
            self.close()

    def wait(self, timeout_s: float, ends: threading.Event) -> None:
        """Wait until something is said, `ends` is set, the connection is lost, or it is time to look anyway."""
        deadline_s = time.monotonic() + min(timeout_s, LOOK_WHEN_DEAF_S if self._heard is None else LOOK_EVERY_S)
        while (left_s := deadline_s - time.monotonic()) > 0 and not ends.is_set():
            if self._heard is None:
                ends.wait(left_s)
            elif self._hears_within(min(left_s, LOOK_AROUND_EVERY_S)):
                return

    def _hears_within(self, timeout_s: float) -> bool:
        """Tell whether to look now; the answer to `listen` is also something that is said."""
        try:
            return self._heard.get_message(timeout=timeout_s) is not None
        except redis.exceptions.NoPermissionError as error:
            log.warning("newer snapshots are looked for %d times a second: %s", 1 / LOOK_WHEN_DEAF_S, error)
            self._forbidden = True
        except redis.RedisError:
            pass
        self.close()
        return True

    def close(self) -> None:
        """Give the connection back."""
        if self._heard is not None:
            self._heard.close()
            self._heard = None
