"""Which shard an actor belongs to, where shards are reached, and what is refused."""

from collections import Counter

import pytest

from srl_common.errors import SettingError
from srl_common.settings import ActorSettings, LearnerSettings, MemorySettings
from srl_common.shards import actor_number, at_shard, of_memory_service, require_one_shard, shard_of

NAMES = [f"actor-host{host}-{pid}" for host in range(50) for pid in range(40)]
SHARDED = {"memory_shards": 2, "memory_uri": "tcp://memory-{shard}:5600", "trainer_uri": "tcp://memory-{shard}:5601"}


@pytest.mark.parametrize("shards", [1, 2, 3, 8])
def test_actors_are_spread_evenly(shards):
    counts = Counter(shard_of(name, shards) for name in NAMES)
    expected = len(NAMES) / shards
    assert set(counts) == set(range(shards))
    # chi-square of shards - 1 degrees of freedom: above 30 once in 10,000 at most
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 30


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_one_shard_more_takes_its_share_of_actors_and_moves_no_others(shards):
    moved = [name for name in NAMES if shard_of(name, shards) != shard_of(name, shards + 1)]
    assert {shard_of(name, shards + 1) for name in moved} == {shards}
    assert len(moved) / len(NAMES) == pytest.approx(1 / (shards + 1), rel=0.15)


def test_where_an_actor_belongs_is_the_same_everywhere_and_for_ever():
    assert [shard_of(name, 4) for name in ("actor-0", "actor-1", "actor-2", "actor-3", "actor-4")] == [3, 3, 3, 3, 1]


def test_numbers_of_actors_are_unique():
    numbers = [actor_number(slot, shard, 3) for slot in range(4) for shard in range(3)]
    assert sorted(numbers) == list(range(12))


def test_addresses_name_the_shard():
    assert at_shard(ActorSettings(**SHARDED), 1, "memory_uri").memory_uri == "tcp://memory-1:5600"
    assert at_shard(LearnerSettings(**SHARDED), 0, "trainer_uri").trainer_uri == "tcp://memory-0:5601"


def test_one_memory_service_needs_no_placeholder():
    assert at_shard(ActorSettings(), 0, "memory_uri") == ActorSettings()
    assert of_memory_service(MemorySettings()) == MemorySettings()


@pytest.mark.parametrize("needed", ["memory_uri", "trainer_uri"])
def test_an_address_that_is_the_same_for_all_shards_is_refused(needed):
    settings = LearnerSettings(**{**SHARDED, needed: "tcp://memory:5600"})
    with pytest.raises(SettingError) as caught:
        at_shard(settings, 0, needed)
    assert str(caught.value) == (
        f"SRL_{needed.upper()}=tcp://memory:5600: with SRL_MEMORY_SHARDS=2 it must have {{shard}} where the number "
        "of the memory service stands"
    )


def test_a_memory_service_has_its_shard_s_addresses_and_a_journal_of_its_own():
    settings = of_memory_service(MemorySettings(**SHARDED, memory_shard=1, journal_dir="/journal"))
    assert (settings.memory_uri, settings.trainer_uri) == ("tcp://memory-1:5600", "tcp://memory-1:5601")
    assert settings.journal_dir == "/journal/shard-1"


def test_a_memory_service_may_listen_at_the_same_address_on_each_machine():
    settings = MemorySettings(memory_shards=2, memory_shard=1, memory_uri="tcp://0.0.0.0:5600")
    assert of_memory_service(settings).memory_uri == "tcp://0.0.0.0:5600"


def test_a_shard_beyond_the_last_is_refused():
    with pytest.raises(SettingError, match="SRL_MEMORY_SHARD=2: with SRL_MEMORY_SHARDS=2 the last is 1"):
        of_memory_service(MemorySettings(**SHARDED, memory_shard=2))


def test_a_learner_that_hosts_the_memory_has_no_shards():
    require_one_shard(LearnerSettings(memory_mode="learner"))
    with pytest.raises(SettingError, match=r"SRL_MEMORY_SHARDS=2: a learner that hosts the Memory itself .* no shards"):
        require_one_shard(LearnerSettings(**SHARDED, memory_mode="learner"))
