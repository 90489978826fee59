"""What may go into a Memory and out of it when: the ratio of samples to inserts, and how old experience may be.

Both come from the algorithm's Config and the host's settings, and may be changed while they work.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from services.hosting.limiter import Limiter, require_no_deadlock, smallest_tolerance
from services.hosting.staleness import Staleness
from srl.base.rl.rate_limit import RateLimit
from srl_common.errors import PeerError, SettingError
from srl_common.settings import AUTO, OFF, changed, variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from srl.base.rl.config import RLConfig
    from srl_common.messages import Call
    from srl_common.settings import HostSettings

TUNABLE = (
    "samples_per_insert",
    "samples_per_insert_tolerance_items",
    "samples_minimum_items",
    "max_staleness_updates",
)
"""The settings that may be changed while the host works."""
WITHHELD_LATELY_S = 1.0
"""The learner hears of it with each Beat, every half second."""


class Flow:
    """The limiter and the staleness of one Memory.

    Args:
        config: the algorithm's.
        settings: the host's.
        clock: seconds, monotonic.
        consumes: the Memory has a recv function that takes items out.

    Raises SettingError for settings that do not fit.
    """

    def __init__(
        self, config: RLConfig[Any, Any], settings: HostSettings, clock: Callable[[], float], *, consumes: bool
    ) -> None:
        self._config = config
        self._settings = settings
        self._consumes = consumes
        limit = rate_limit(config, settings, consumes=consumes)
        self.limiter = Limiter(limit, _batch_items(config) or 1, clock)
        self.staleness = Staleness(settings.max_staleness_updates, consumes=consumes)

    def tune(self, values: Mapping[str, Any]) -> None:
        """Go on with other values of settings, named as in `TUNABLE`; those not named are as at the start.

        Raises SettingError, changing nothing.
        """
        for name in values:
            if name not in TUNABLE:
                raise SettingError(f"'{name}' cannot be changed while it runs; {', '.join(TUNABLE)} can")
        settings = changed(self._settings, values)
        limit = rate_limit(self._config, settings, consumes=self._consumes)
        if limit != self.limiter.limit:
            self.limiter.change(limit)
        self.staleness.limit_updates = settings.max_staleness_updates
        self.limiter.batches_wait.note(False)  # until the next is asked for

    def check(self, call: Call) -> None:
        """Raise PeerError for a chunk of more items than the tolerance is made for."""
        if self.limiter.limit is not None and call.count > self._settings.chunk_items:
            name = variable("chunk_items")
            raise PeerError(
                f"a chunk has {call.count} items, and the limiter of samples per insert is set up for "
                f"{name}={self._settings.chunk_items}: give actors and the Memory's host the same {name}"
            )

    def may_sample(self, has_room: Callable[[], bool]) -> bool:
        """Whether a batch may be handed out now, from a Memory that says whether it has room for more."""
        if self.limiter.limit is None and not self.staleness.limit_updates:
            return True
        room = has_room()
        too_old = room and self.staleness.withholds
        if too_old:
            self.limiter.on_nothing()  # only inserts can help
        allowed = not too_old and self.limiter.may_sample(room)
        self.limiter.batches_wait.note(not allowed)
        return allowed

    @property
    def withholds(self) -> bool:
        """Whether a batch had to wait lately: batches then come as fast as items do, and no faster."""
        return self.limiter.batches_wait.within(WITHHELD_LATELY_S)

    def to_data(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"limiter": self.limiter.to_data(), "versions": self.staleness.to_data()}

    def load_data(self, data: Mapping[str, Any]) -> None:
        """Go on from what `to_data` returned. Raises CorruptError when that is damaged."""
        self.limiter.load_data(data["limiter"])
        self.staleness.load_data(data["versions"])

    def metrics(self) -> dict[str, Any]:
        """Return the values of `metrics.FLOW`, but for what the host knows."""
        limiter, staleness = self.limiter, self.staleness
        limit = limiter.limit
        return {
            "srl_samples_per_insert": limiter.samples_per_insert,
            "srl_samples_per_insert_target": limit.samples_per_insert if limit is not None else 0,
            "srl_samples_ahead_items": limiter.ahead,
            "srl_samples_tolerance_items": limit.tolerance_items if limit is not None else 0,
            "srl_inserts_wait_seconds_total": limiter.inserts_wait.seconds,
            "srl_batches_wait_seconds_total": limiter.batches_wait.seconds,
            "srl_staleness_mean_updates": staleness.mean_updates,
            "srl_staleness_max_updates": staleness.max_updates,
            "srl_stale_items_total": staleness.left_out_items,
        }


def rate_limit(config: RLConfig[Any, Any], settings: HostSettings, *, consumes: bool) -> RateLimit | None:
    """Return the limit that Config and settings ask for together, None for none.

    Raises SettingError for one that cannot be kept.
    """
    wanted = config.get_rate_limit()
    if settings.samples_per_insert == OFF or (settings.samples_per_insert == AUTO and wanted is None):
        return None
    if consumes:
        raise SettingError(
            f"{variable('samples_per_insert')}={settings.samples_per_insert}: items of this Memory are sampled once, "
            f"as it is registered (register_trainer_recv_func), so there is no ratio to be kept; set it to {OFF}"
            + (f", or let {type(config).__name__}.get_rate_limit return None" if wanted is not None else "")
        )
    limit = _with_settings(wanted or _plain_limit(config), settings)
    require_no_deadlock(limit, settings.chunk_items)
    return limit


def _with_settings(limit: RateLimit, settings: HostSettings) -> RateLimit:
    """Return the limit with what the settings say in place of the Config's values, its tolerance chosen."""
    if settings.samples_per_insert != AUTO:
        limit = replace(limit, samples_per_insert=_ratio(settings.samples_per_insert))
    if settings.samples_minimum_items:
        limit = replace(limit, minimum_items=settings.samples_minimum_items)
    tolerance = settings.samples_per_insert_tolerance_items or limit.tolerance_items
    if not tolerance:
        tolerance = 2 * smallest_tolerance(limit.samples_per_insert, limit.batch_items, settings.chunk_items)
    return replace(limit, tolerance_items=tolerance)


def _ratio(text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = math.nan
    if not 0 < ratio < math.inf:
        raise SettingError(f"{variable('samples_per_insert')}={text}: write a number above 0, {AUTO} or {OFF}")
    return ratio


def _plain_limit(config: RLConfig[Any, Any]) -> RateLimit:
    batch_items = _batch_items(config)
    if batch_items is None:
        name = type(config).__name__
        raise SettingError(
            f"{variable('samples_per_insert')}: it is not known how many items a batch has: let {name} have a field "
            "batch_size, or define get_rate_limit"
        )
    return RateLimit(samples_per_insert=1, batch_items=batch_items)


def _batch_items(config: RLConfig[Any, Any]) -> int | None:
    """Return how many items a batch has, None where the Config does not say."""
    limit = config.get_rate_limit()
    if limit is not None:
        return limit.batch_items
    size = getattr(config, "batch_size", None)
    return size if isinstance(size, int) and size > 0 else None
