"""Which limit Config and settings give together, what is refused, and what may be changed while running."""

from dataclasses import dataclass, replace

import pytest

from services.hosting.flow import Flow, rate_limit
from services.hosting.limiter import Limiter, Waiting
from srl.algorithms import dqn, dynaq, ppo, ql, sac, vanilla_policy
from srl.base.rl.config import DummyRLConfig
from srl.base.rl.rate_limit import RateLimit
from srl_common.errors import CorruptError, PeerError, SettingError
from srl_common.messages import Call, Form
from srl_common.settings import HostSettings

ASKED = RateLimit(samples_per_insert=2, batch_items=32, minimum_items=100)


@dataclass
class Limited(DummyRLConfig):
    limit: RateLimit | None = ASKED

    def get_rate_limit(self):
        return self.limit


@dataclass
class Batched(DummyRLConfig):
    batch_size: int = 8


def limit_of(config, consumes=False, **settings):
    return rate_limit(config, HostSettings(**{"chunk_items": 10, **settings}), consumes=consumes)


def flow_of(config, clock=lambda: 0.0, consumes=False, **settings):
    return Flow(config, HostSettings(**{"chunk_items": 10, **settings}), clock, consumes=consumes)


# --- what a Config may ask for


@pytest.mark.parametrize(
    ("field", "value"),
    [("samples_per_insert", 0), ("batch_items", 0), ("minimum_items", 0), ("tolerance_items", -1)],
)
def test_a_limit_that_cannot_be_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"RateLimit.{field} is {value}; it must be"):
        replace(ASKED, **{field: value})


def test_algorithms_with_replay_ask_for_as_many_updates_a_step_as_their_papers():
    deep_q = dqn.Config(batch_size=64)
    deep_q.memory.warmup_size = 500
    assert deep_q.get_rate_limit() == RateLimit(samples_per_insert=16, batch_items=64, minimum_items=500)
    actor_critic = sac.Config(batch_size=128).get_rate_limit()
    assert (actor_critic.samples_per_insert, actor_critic.batch_items) == (128, 128)


@pytest.mark.parametrize("algorithm", [dynaq, ppo, ql, vanilla_policy])
def test_other_algorithms_ask_for_none(algorithm):
    assert algorithm.Config().get_rate_limit() is None


@pytest.mark.parametrize("config", [dqn.Config(), sac.Config()])
@pytest.mark.parametrize("chunk_items", [1, 250, 256, 5000])
def test_the_default_tolerance_fits_chunks_of_any_size(config, chunk_items):
    limit = limit_of(config, chunk_items=chunk_items)
    assert limit.tolerance_items == limit.samples_per_insert * chunk_items + limit.batch_items


# --- Config and settings together


def test_settings_win_over_the_config():
    limit = limit_of(
        Limited(), samples_per_insert="4", samples_per_insert_tolerance_items=77.0, samples_minimum_items=9
    )
    assert limit == RateLimit(samples_per_insert=4, batch_items=32, minimum_items=9, tolerance_items=77)


def test_the_config_says_what_settings_leave_open():
    limit = limit_of(Limited(limit=replace(ASKED, tolerance_items=55)))
    assert limit == replace(ASKED, tolerance_items=55)


@pytest.mark.parametrize("config", [DummyRLConfig(), Batched()])
def test_without_a_wish_there_is_no_limit(config):
    assert limit_of(config) is None


def test_it_can_be_switched_off():
    assert limit_of(Limited(), samples_per_insert="off") is None


def test_a_number_alone_is_enough_where_the_size_of_a_batch_is_known():
    assert limit_of(Batched(), samples_per_insert="0.5").batch_items == 8


def test_a_number_alone_is_not_enough_where_it_is_unknown():
    with pytest.raises(SettingError, match="let DummyRLConfig have a field batch_size, or define get_rate_limit"):
        limit_of(DummyRLConfig(), samples_per_insert="0.5")


@pytest.mark.parametrize("text", ["fast", "0", "-1", "nan", "inf"])
def test_a_ratio_that_cannot_be_is_refused(text):
    with pytest.raises(SettingError, match=f"SRL_SAMPLES_PER_INSERT={text}: write a number above 0, auto or off"):
        limit_of(Limited(), samples_per_insert=text)


def test_a_tolerance_that_would_deadlock_is_refused_with_all_that_it_depends_on():
    assert limit_of(Limited(), samples_per_insert_tolerance_items=26.0).tolerance_items == 26
    with pytest.raises(SettingError) as caught:
        limit_of(Limited(), samples_per_insert_tolerance_items=25.9)
    assert str(caught.value) == (
        "SRL_SAMPLES_PER_INSERT_TOLERANCE_ITEMS=25.9 would let actors and learner wait for each other: with "
        "SRL_SAMPLES_PER_INSERT=2, SRL_CHUNK_ITEMS=10 and batches of 32 items it must be at least 26 "
        "(0: chosen for you)"
    )


def test_a_memory_that_is_consumed_from_has_no_ratio():
    with pytest.raises(SettingError, match=r"sampled once.*set it to off, or let Limited.get_rate_limit return None"):
        limit_of(Limited(), consumes=True)
    with pytest.raises(SettingError, match="SRL_SAMPLES_PER_INSERT=3: items of this Memory are sampled once"):
        limit_of(Batched(), consumes=True, samples_per_insert="3")
    assert limit_of(Limited(), consumes=True, samples_per_insert="off") is None


def test_a_chunk_of_more_items_than_were_said_is_refused():
    big = Call(1, "add", Form.CALLS, 11, [], (0, 0))
    flow_of(DummyRLConfig()).check(big)
    flow_of(Limited()).check(replace(big, count=10))
    with pytest.raises(PeerError, match="a chunk has 11 items.*give actors and the Memory's host the same SRL_CHUNK"):
        flow_of(Limited()).check(big)


# --- while it runs


def test_values_change_and_go_back():
    flow = flow_of(Limited())
    flow.tune({"samples_per_insert": 4.0, "samples_minimum_items": 7.0, "max_staleness_updates": 30})
    assert flow.limiter.limit == RateLimit(samples_per_insert=4, batch_items=32, minimum_items=7, tolerance_items=72)
    assert flow.staleness.limit_updates == 30
    flow.tune({"samples_per_insert": "off"})
    assert flow.limiter.limit is None
    flow.tune({})
    assert flow.limiter.limit == replace(ASKED, tolerance_items=52)
    assert flow.staleness.limit_updates == 0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"samples_per_insert": "many"}, "SRL_SAMPLES_PER_INSERT=many: write a number"),
        ({"samples_per_insert_tolerance_items": 1}, "would let actors and learner wait for each other"),
        ({"samples_minimum_items": -1}, "SRL_SAMPLES_MINIMUM_ITEMS=-1: must be at least 0"),
        ({"max_staleness_updates": 1.5}, "SRL_MAX_STALENESS_UPDATES=1.5: a whole number is wanted"),
        ({"queue_items": 3}, "'queue_items' cannot be changed while it runs; samples_per_insert, "),
    ],
)
def test_a_bad_value_changes_nothing(values, says):
    flow = flow_of(Limited())
    with pytest.raises(SettingError, match=says):
        flow.tune({"max_staleness_updates": 5, **values} if "max_staleness_updates" not in values else values)
    assert flow.limiter.limit == replace(ASKED, tolerance_items=52)
    assert flow.staleness.limit_updates == 0


def limiter_of(**changes):
    return Limiter(replace(ASKED, **{"minimum_items": 10, "tolerance_items": 100, **changes}), 32, lambda: 0.0)


def test_another_target_holds_from_now_on():
    limiter = limiter_of()
    limiter.on_inserted(10)
    limiter.on_inserted(1000)
    for _ in range(60):
        limiter.on_sampled()
    before = limiter.ahead
    limiter.change(replace(limiter.limit, samples_per_insert=20))
    assert limiter.ahead == before
    limiter.on_inserted(1)
    assert limiter.ahead == before - 20


def test_a_narrower_band_is_entered_at_its_edge():
    limiter = limiter_of()
    limiter.on_inserted(10)
    limiter.on_inserted(45)
    limiter.change(replace(limiter.limit, tolerance_items=50))
    assert limiter.ahead == -50


def test_one_that_is_switched_on_begins_in_the_middle():
    limiter = Limiter(None, 32, lambda: 0.0)
    limiter.on_inserted(1000)
    limiter.change(replace(ASKED, tolerance_items=100))
    assert (limiter.ahead, limiter.may_sample(), limiter.may_insert(10)) == (0, True, True)


# --- restarts


def test_a_learner_that_is_set_back_has_the_band_at_most_to_make_up():
    limiter = limiter_of()
    limiter.on_inserted(10)
    limiter.on_sampled()
    limiter.on_resumed(-1)
    assert limiter.ahead == 0
    limiter.on_resumed(-1_000_000)
    assert (limiter.ahead, limiter.samples) == (-100, 0)


def test_a_memory_that_is_full_at_the_start_need_not_be_filled_again():
    limiter = limiter_of(minimum_items=1000)
    assert not limiter.may_sample()
    limiter.on_found(999)
    assert not limiter.may_sample()
    limiter.on_found(1000)
    assert limiter.may_sample()


def test_counters_survive_as_plain_data():
    limiter, again = limiter_of(), limiter_of()
    limiter.on_inserted(10)
    limiter.on_inserted(5)
    limiter.on_sampled()
    again.load_data(limiter.to_data())
    assert (again.inserted, again.samples, again.ahead) == (15, 32, 22)


@pytest.mark.parametrize("data", [None, [], [1, 2], [1, 2, "3"], ["1", 2, 3.0]])
def test_damaged_counters_are_noticed(data):
    with pytest.raises(CorruptError, match="in the place of the limiter's counters"):
        limiter_of().load_data(data)


# --- nobody waits for one that cannot move


def test_a_memory_without_room_is_sampled_all_the_same():
    limiter = limiter_of()
    assert limiter.may_sample(has_room=False)
    limiter.on_inserted(10)
    for _ in range(10):
        limiter.on_sampled()
    assert (limiter.may_sample(), limiter.may_sample(has_room=False)) == (False, True)
    assert limiter.ahead == 100


def test_a_memory_that_has_nothing_to_give_is_filled_all_the_same():
    limiter = limiter_of()
    limiter.on_inserted(10)
    assert not limiter.may_insert(1000)
    limiter.on_nothing()
    assert limiter.may_insert(1000)
    limiter.on_inserted(1000)
    assert limiter.ahead == -100
    limiter.on_sampled()
    assert not limiter.may_insert(1000)


def test_the_time_waited_is_counted_while_it_lasts():
    now = [0.0]
    waiting = Waiting(lambda: now[0])
    for second, waits in enumerate([True, True, False, False, True]):
        now[0] = second
        waiting.note(waits)
    now[0] = 10.0
    assert waiting.seconds == 2 + 6
