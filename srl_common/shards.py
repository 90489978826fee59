"""Several memory services side by side: which of them an actor belongs to, and where each is reached.

Rendezvous hashing: an actor belongs to the shard whose hash together with the actor's name is largest. Nobody needs
to know of other actors, and one shard more takes over its share of actors and moves no others.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from srl_common.errors import SettingError
from srl_common.settings import ServiceSettings, variable

if TYPE_CHECKING:
    from srl_common.settings import MemorySettings

T = TypeVar("T", bound=ServiceSettings)

PLACEHOLDER = "{shard}"
"""Stands in `memory_uri` and `trainer_uri` for the number of a shard."""


def shard_of(name: str, shards: int) -> int:
    """Return the shard, from 0, that the actor of that name belongs to."""
    return max(range(shards), key=lambda shard: _weight(name, shard))


def _weight(name: str, shard: int) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=8, salt=shard.to_bytes(8, "big")).digest()


def at_shard(settings: T, shard: int, needed: str) -> T:
    """Return the settings with the addresses of that shard.

    Args:
        settings: of a service.
        shard: its number.
        needed: the setting, an address, that must name the shard where there are several. Raises SettingError.
    """
    uri = getattr(settings, needed)
    if settings.memory_shards > 1 and PLACEHOLDER not in uri:
        raise SettingError(
            f"{variable(needed)}={uri}: with {variable('memory_shards')}={settings.memory_shards} it must have "
            f"{PLACEHOLDER} where the number of the memory service stands"
        )
    return _filled_in(settings, shard)


def of_memory_service(settings: MemorySettings) -> MemorySettings:
    """Return the settings of a memory service for the shard that it is, with a journal of its own.

    Raises SettingError when there is no such shard.
    """
    shards, shard = settings.memory_shards, settings.memory_shard
    if shard >= shards:
        raise SettingError(
            f"{variable('memory_shard')}={shard}: with {variable('memory_shards')}={shards} the last is {shards - 1}"
        )
    own = _filled_in(settings, shard)
    return own if shards == 1 else replace(own, journal_dir=f"{settings.journal_dir}/shard-{shard}")


def require_one_shard(settings: ServiceSettings) -> None:
    """Raise SettingError where several shards are asked for and the learner hosts the Memory itself."""
    if settings.memory_shards > 1:
        raise SettingError(
            f"{variable('memory_shards')}={settings.memory_shards}: a learner that hosts the Memory itself "
            f"({variable('memory_mode')}=learner) has no shards; set it to 1, or start memory services"
        )


def _filled_in(settings: T, shard: int) -> T:
    return replace(
        settings,
        memory_uri=settings.memory_uri.replace(PLACEHOLDER, str(shard)),
        trainer_uri=settings.trainer_uri.replace(PLACEHOLDER, str(shard)),
    )


def actor_number(slot: int, shard: int, shards: int) -> int:
    """Return the number of an actor that is number `slot` of its shard: unique among the actors of all shards."""
    return slot * shards + shard
