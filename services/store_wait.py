"""How a service begins whose store is not there yet: it waits, says so once, and is alive but not ready."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from srl_common.backoff import Backoff
from srl_common.errors import AccessError, StorageError
from srl_common.service import Health, start_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl_common.service import Stop
    from srl_common.settings import ServiceSettings

log = logging.getLogger("srl")

R = TypeVar("R")

RETRY_AFTER_S = 0.25
RETRY_AFTER_MAX_S = 2.0


def when_there(settings: ServiceSettings, stop: Stop, call: Callable[[], R]) -> R | None:
    """Return what `call` returns as soon as the store lets it; None: the service is asked to end before.

    Raises AccessError at once: a wrong password is not mended by waiting.
    """
    try:
        return call()
    except AccessError:
        raise
    except StorageError as error:
        log.warning("waiting for the snapshot store: %s", error)
    return _try_again(settings, stop, call)


def _try_again(settings: ServiceSettings, stop: Stop, call: Callable[[], R]) -> R | None:
    health, backoff = Health(), Backoff(RETRY_AFTER_S, RETRY_AFTER_MAX_S)
    pages = start_pages(settings, health, (), dict)
    try:
        while not stop.asked:
            stop.wait(backoff.next_s())
            health.turned()
            try:
                found = call()
            except AccessError:
                raise
            except StorageError as error:
                log.debug("still waiting: %s", error)
            else:
                log.info("the snapshot store is there")
                return found
    finally:
        if pages is not None:
            pages.close()
    return None
