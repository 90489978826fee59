"""How a service begins: it waits for its store, and for what it looks for there, and says once why."""

from __future__ import annotations

import logging
from dataclasses import replace
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

LOOK_EVERY_S = 0.5
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
    except StorageError:
        return look_until_found(settings, stop, call, "waiting for the snapshot store")


def look_until_found(
    settings: ServiceSettings, stop: Stop, look: Callable[[], R | None], saying: str, doing: str = ""
) -> R | None:
    """Return what `look` finds, which may take any time; None: the service is asked to end before.

    Meanwhile the service is ready as long as the place where it looks answers. Raises AccessError at once.

    Args:
        settings: of the service.
        stop: the wish that the process ends.
        look: returns None for "not yet", and raises StorageError when the place is away.
        saying: what is said when the place is away.
        doing: what the service says that it does, when it is ready.
    """
    health, backoff = Health(), Backoff(RETRY_AFTER_S, RETRY_AFTER_MAX_S)
    health.doing = doing
    away = False
    pages = start_pages(replace(settings, store_job=""), health, (), dict)  # no job's metrics
    try:
        while not stop.asked:
            health.turned()
            try:
                found = look()
            except AccessError:
                raise
            except StorageError as error:
                if not away:
                    log.warning("%s: %s", saying, error)
                away, health.ready = True, False
                stop.wait(backoff.next_s())
                continue
            if away:
                log.info("what was waited for is there")
                backoff.reset()
            if found is not None:
                return found
            away, health.ready = False, True
            stop.wait(LOOK_EVERY_S)
    finally:
        if pages is not None:
            pages.close()
    return None
