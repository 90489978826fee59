"""A learner with several memory services: where batches come from, where updates go, what a snapshot says."""

import math
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from conversation import Clock, MessageClient

from services.learner.remote_memory import (
    ASK_AGAIN_AFTER_S,
    PATIENCE_S,
    RemoteMemory,
)
from services.learner.sharded_memory import ShardedMemory, position_of
from srl.base.rl.config import DummyRLConfig
from srl.base.rl.memory import RLMemory
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer
from srl_common.link import RESEND_AFTER_S, SILENT_AFTER_S, Link, new_incarnation
from srl_common.messages import PROTOCOL, Ack, Batch, Beat, Bye, Call, Hello, Pull, Role, Welcome

PREFETCH = 4


class Memory(RLMemory):
    """Registers functions of each kind; none is ever called here."""

    def setup(self):
        self.register_trainer_recv_func(self.sample, consumes=False)
        self.register_trainer_recv_func(self.take)
        self.register_trainer_send_func(self.update)

    def sample(self): ...

    def take(self): ...

    def update(self, *_args): ...


class Host:
    """What stands for a memory service: it keeps the windows of the learner full."""

    def __init__(self, number, clock, position=None, prefetch=PREFETCH):
        self.number = number
        self.client = MessageClient(clock)
        self.memory = RemoteMemory(Memory(), position or {}, prefetch, clock, lambda: clock() >= self.gives_up_s)
        self.link = Link(
            self.client, Role.LEARNER, "learner", new_incarnation(), "job", clock, dict, 1, self.memory.positions
        )
        self.memory.connect(self.link)
        self.away = False
        self.gives_up_s = self.allowed = math.inf
        self.wanted = Counter()
        self.made = Counter(position or {})
        self.client.arrive(Welcome(PROTOCOL, b"host", 0, 100))
        self.link.poll()

    def says(self, **counters):
        self.client.arrive(Beat(counters))
        self.link.poll()

    def serve(self):
        """Answer what was asked, with no more batches of a function than are allowed."""
        for message in self.client.take_sent():
            if isinstance(message, Pull) and not self.away:
                self.wanted[message.endpoint] = message.wanted
        for name, wanted in self.wanted.items():
            while self.made[name] < min(wanted, self.allowed):
                self.made[name] += 1
                self.client.arrive(Batch(name, self.made[name], (self.number, self.made[name])))


class Table:
    def __init__(self, shards=2, positions=(), prefetch=PREFETCH):
        self.clock = Clock()
        self.hosts = [
            Host(number, self.clock, position_of(dict(positions), number), prefetch) for number in range(shards)
        ]
        self.memory = ShardedMemory(
            Memory(), [host.memory for host in self.hosts], self.listen, self.clock, random.Random(1)
        )

    def listen(self, timeout_s):
        for host in self.hosts:
            host.client.host()
        self.clock.advance(timeout_s)

    def turn(self):
        """Let the learner ask, and the hosts answer."""
        self.memory.poll()
        for host in self.hosts:
            host.serve()
        self.memory.poll()

    def draw(self, count, name="sample"):
        """Return from which shards so many batches come."""
        drawn = Counter()
        for _ in range(count):
            self.turn()
            shard, _ = getattr(self.memory, name)()
            drawn[shard] += 1
        return drawn


def chi_square(drawn, weights):
    total = sum(drawn.values())
    expected = [total * weight / sum(weights) for weight in weights]
    return sum((drawn[shard] - each) ** 2 / each for shard, each in enumerate(expected))


# --- where batches come from


@pytest.mark.parametrize("weights", [(1000, 3000), (500, 500, 2000)])
@pytest.mark.parametrize("counter", ["memory_length", "priority_mass"])
def test_batches_come_in_proportion_to_size_or_priority_mass(weights, counter):
    table = Table(len(weights))
    for host, weight in zip(table.hosts, weights, strict=True):
        host.says(**{"memory_length": 777, counter: weight})
    # above 14 once in 1,000 at most, and the draws are the same in each run
    assert chi_square(table.draw(400), weights) < 14


def test_control_without_weights_the_proportion_is_another():
    table = Table()
    assert chi_square(table.draw(400), (1000, 3000)) > 50


def test_each_is_as_likely_while_no_weight_is_known():
    assert chi_square(Table().draw(400), (1, 1)) < 11


def test_functions_that_consume_take_turns():
    table = Table(3)
    for number, host in enumerate(table.hosts):
        host.says(memory_length=1 + 1000 * number)
    assert table.draw(60, "take") == {0: 20, 1: 20, 2: 20}


def test_batches_of_a_shard_come_in_order_and_once():
    table = Table()
    seen = {0: [], 1: []}
    for _ in range(100):
        table.turn()
        shard, number = table.memory.take()
        seen[shard].append(number)
    assert seen == {0: list(range(1, 51)), 1: list(range(1, 51))}


def test_none_means_that_no_shard_has_one():
    table = Table()
    assert table.memory.sample() is None
    assert table.memory.taken == 0
    table.turn()
    assert table.memory.sample() is not None
    assert table.memory.taken == 1


def test_the_drawn_shard_is_waited_for_a_moment_and_no_longer():
    table = Table()
    table.turn()
    while table.memory.sample() is not None:
        pass
    awaited = next(host for host in table.hosts if not host.memory.has_batch("sample"))
    other = table.hosts[1 - awaited.number]
    other.serve()
    assert table.memory.sample() is None
    assert other.memory.has_batch("sample")
    table.clock.advance(PATIENCE_S)
    assert table.memory.sample()[0] == other.number


def test_a_shard_that_is_slow_is_not_drawn_from_too_seldom():
    """The learner takes more than comes: of each shard one batch is here, and three quarters are to be of shard 1."""
    table = Table(prefetch=1)
    for host, weight in zip(table.hosts, (1000, 3000), strict=True):
        host.says(memory_length=weight)
    drawn = Counter()
    for _ in range(400):
        table.turn()
        while (batch := table.memory.sample()) is not None:
            drawn[batch[0]] += 1
    assert chi_square(drawn, (1000, 3000)) < 14


def drawn_from_paced(counters):
    """Return from which shards batches come where shard 0 gives three for each of shard 1, and the learner is fast."""
    table = Table(prefetch=6)
    for host in table.hosts:
        host.says(memory_length=1000, **counters)
        host.allowed = 0
    drawn = Counter()
    for _ in range(100):
        table.clock.advance(PATIENCE_S / 10)
        table.turn()
        for host, paced in zip(table.hosts, (3, 1), strict=True):
            host.allowed += paced
        table.turn()
        while (batch := table.memory.sample()) is not None:
            drawn[batch[0]] += 1
    return drawn


def test_a_shard_that_gives_batches_as_fast_as_items_come_holds_nobody_up():
    drawn = drawn_from_paced({"withholds": True})
    assert drawn[0] > 270
    assert drawn[1] > 90


def test_control_where_that_is_not_known_all_shards_are_as_slow_as_the_slowest():
    drawn = drawn_from_paced({})
    assert drawn[0] < 150


# --- a shard that is away


@pytest.mark.parametrize("name", ["sample", "take"])
def test_with_one_shard_down_the_others_go_on_and_it_joins_again(name):
    table = Table()
    for host in table.hosts:
        host.says(memory_length=10)
    table.turn()
    table.hosts[0].away = True
    while table.hosts[0].memory.has_batch(name):
        table.turn()
        getattr(table.memory, name)()
    table.clock.advance(PATIENCE_S)
    assert table.draw(50, name) == {1: 50}
    table.hosts[0].away = False
    table.clock.advance(ASK_AGAIN_AFTER_S)
    assert table.draw(50, name)[0] > 10


def test_a_shard_that_is_not_heard_of_is_counted():
    table = Table()
    assert table.memory.metrics()["srl_memory_services_silent"] == 0
    table.memory.poll()
    table.clock.advance(SILENT_AFTER_S + 0.1)
    table.memory.poll()
    table.hosts[1].says(memory_length=1)
    assert table.memory.metrics()["srl_memory_services_silent"] == 1


# --- where updates go


def updates(table):
    """Return how many calls have come to each shard since the last time."""
    counts = []
    for host in table.hosts:
        sent = host.client.sent
        host.client.sent = [message for message in sent if not isinstance(message, Call)]
        counts.append(len(sent) - len(host.client.sent))
    return counts


def test_an_update_goes_to_the_shard_of_the_last_batch():
    table = Table()
    for _ in range(20):
        table.turn()
        shard, _ = table.memory.sample()
        updates(table)
        table.memory.update([1], [0.5])
        assert updates(table) == [int(shard == 0), int(shard == 1)]


def test_the_last_batch_of_any_function_decides():
    table = Table()
    table.turn()
    shard, _ = table.memory.sample()
    table.hosts[shard].memory._windows["take"]._waiting.clear()
    other, _ = table.memory.take()
    assert other != shard
    updates(table)
    table.memory.update()
    assert updates(table)[other] == 1


def test_before_the_first_batch_an_update_goes_to_all():
    table = Table()
    table.memory.update()
    assert updates(table) == [1, 1]


# --- snapshots


def test_positions_are_kept_by_shard():
    table = Table(positions={"sample@0": 7, "take@0": 2, "sample@1": 9, "take@1": 0, "sample": 99})
    table.turn()
    shard, number = table.memory.take()
    assert number == {0: 3, 1: 1}[shard]
    expected = {"sample@0": 7, "take@0": 2, "sample@1": 9, "take@1": 0}
    expected[f"take@{shard}"] += 1
    assert table.memory.consumed() == expected


def test_a_stored_snapshot_releases_batches_by_shard():
    table = Table()
    table.turn()
    for host in table.hosts:
        host.client.take_sent()
    table.memory.release({"sample@0": 0, "take@0": 1, "sample@1": 0, "take@1": 0})
    (pull,) = table.hosts[0].client.take_sent(Pull)
    assert (pull.endpoint, pull.released) == ("take", 1)
    assert table.hosts[1].client.take_sent(Pull) == []


def test_each_shard_hears_its_own_positions():
    table = Table(positions={"sample@1": 9})
    for host in table.hosts:
        host.client.take_sent()
        host.link.say_hello_again()
    table.memory.poll()
    received = [host.client.take_sent(Hello)[0].received["sample"] for host in table.hosts]
    assert received == [0, 9]


# --- all of them together


def test_the_length_is_that_of_all_shards():
    table = Table()
    assert table.memory.length() == -1
    table.hosts[0].says(memory_length=10)
    assert table.memory.length() == 10
    table.hosts[1].says(memory_length=5)
    assert table.memory.length() == 15


def test_metrics_are_added_up():
    table = Table()
    table.turn()
    table.memory.sample()
    table.memory.update()
    metrics = table.memory.metrics()
    assert metrics["srl_batches_waiting"] == {"sample": 2 * PREFETCH - 1, "take": 2 * PREFETCH}
    assert metrics["srl_updates_unacked"] == 1


def test_the_time_that_training_waits_is_counted_once():
    table = Table()
    table.memory.wait(0.05)
    assert table.memory.wait_s == pytest.approx(0.05)


def test_the_memory_services_keep_their_journals_themselves():
    memory = Table().memory
    memory.between_trains()
    memory.checkpoint()
    memory.checkpoint_if_due()
    assert not memory.checkpoint_due


def test_a_learner_leaves_all_shards_when_its_updates_are_acknowledged():
    table = Table()
    table.memory.update()
    for host in table.hosts:
        host.client.host = lambda client=host.client: client.arrive(Ack(1, 100))
    table.memory.drain()
    assert [host.client.take_sent()[-1] for host in table.hosts] == [Bye(), Bye()]
    table.memory.close()
    assert all(host.client.closed for host in table.hosts)


def test_at_the_end_a_shard_that_is_down_does_not_keep_another_from_getting_an_update_again():
    table = Table()
    table.memory.update()
    assert updates(table) == [1, 1]
    for host in table.hosts:
        host.gives_up_s = table.clock() + 1.5 * RESEND_AFTER_S
    table.memory.drain()
    assert updates(table) == [1, 1]


def test_what_is_not_registered_is_an_error_that_says_what_is():
    with pytest.raises(AttributeError) as caught:
        Table().memory.add(1)
    assert str(caught.value) == (
        "a learner's memory has no 'add': it has what Memory.setup registers with register_trainer_recv_func and "
        "register_trainer_send_func (sample, take, update), and length"
    )


# --- priority mass


@dataclass
class Config(DummyRLConfig):
    batch_size: int = 2
    memory: PriorityReplayBufferConfig = field(default_factory=PriorityReplayBufferConfig)


def replay(choose):
    memory = PriorityReplayBufferConfig(capacity=4, warmup_size=2)
    choose(memory)
    return RLPriorityReplayBuffer(Config(memory=memory))


def test_the_mass_is_what_items_are_drawn_in_proportion_to():
    memory = replay(lambda config: config.set_proportional(alpha=0.5, epsilon=1e-12))
    for priority in (100.0, 1.0, 4.0, 9.0, 16.0):
        memory.add({"x": 0}, priority)
    assert memory.priority_mass() == pytest.approx(1 + 2 + 3 + 4)  # the first one has made room
    memory.update([4], [25.0])
    assert memory.priority_mass() == pytest.approx(1 + 2 + 3 + 5)


@pytest.mark.parametrize("name", ["set_replay_buffer", "set_rankbased", "set_rankbased_linear"])
def test_there_is_none_where_items_are_drawn_otherwise(name):
    memory = replay(lambda config: getattr(config, name)())
    memory.add({"x": 0}, 3.0)
    assert memory.priority_mass() is None
    assert RLMemory().priority_mass() is None
