"""The limiter and the staleness limit at work in a host: who is held back, what is acknowledged, what survives."""

from dataclasses import dataclass

import pytest
from conversation import Clock, MessageClient

from services.hosting.durable_memory import DurableMemory
from services.hosting.flow import WITHHELD_LATELY_S, Flow
from services.hosting.host import FORGET_AFTER_S, MemoryHost
from srl.base.rl.config import DummyRLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.rate_limit import RateLimit
from srl_common import link as links
from srl_common import messages
from srl_common.errors import CorruptError, StorageError
from srl_common.journal import Journal
from srl_common.link import Link, new_incarnation
from srl_common.messages import PROTOCOL, Ack, Batch, Beat, Bye, Call, Form, Hello, Pull, Refuse, Role, Welcome
from srl_common.settings import HostSettings

CHUNK = 10
WINDOW = 4
LIMIT = RateLimit(samples_per_insert=1, batch_items=10, minimum_items=CHUNK, tolerance_items=20)
"""After the first chunk, two more go in before the first batch."""


@dataclass
class Config(DummyRLConfig):
    limit: RateLimit | None = LIMIT

    def get_rate_limit(self):
        return self.limit


class Replay(RLMemory):
    """Keeps the newest `capacity` items; a batch is all of them."""

    capacity = 1000
    consumes = False

    def setup(self):
        self.items = []
        self.register_worker_func(self.add)
        self.register_trainer_recv_func(self.sample, consumes=self.consumes)

    def length(self):
        return len(self.items)

    def add(self, item):
        self.items = [*self.items, item][-self.capacity :]

    def sample(self):
        return list(self.items) or None

    def call_backup(self, **_kwargs):
        return list(self.items)

    def call_restore(self, data, **_kwargs):
        self.items = list(data)


class Queue(Replay):
    """Gives the two oldest items, once."""

    consumes = True

    def sample(self):
        taken, self.items = self.items[:2], self.items[2:]
        return taken or None


class Table:
    """A host with two actors and a learner; what they are told is in `told`."""

    def __init__(self, author=Replay, folder=None, limit=LIMIT, **settings):
        self.clock = Clock()
        config = Config(limit=limit)
        self.author = author(config)
        self.journal = Journal(folder) if folder is not None else None
        flow = Flow(config, HostSettings(**{"chunk_items": CHUNK, **settings}), self.clock, consumes=author.consumes)
        self.memory = DurableMemory(self.author, "job", self.journal, WINDOW, 8, 1 << 20, keeps_batches=True, flow=flow)
        self.memory.recover()
        self.host = MemoryHost(self.memory, "job", self.clock)
        self.told = []
        self.seq = {}
        self.a, self.b = new_incarnation(), new_incarnation()
        self.learner = new_incarnation()
        for incarnation in (self.a, self.b):
            self.hello(incarnation, "actor")
        self.told.clear()

    def say(self, incarnation, *said):
        """Say it in one turn of the host; return all answers since the last time, to whomever."""
        for message in said:
            self.host.handle(incarnation, messages.encode(message))
        self.host.acknowledge()
        self.host.make_batches()
        while self.host.outbox:
            to, frames = self.host.outbox.popleft()
            self.told.append((to, messages.decode(frames)))
        told, self.told = self.told, []
        return told

    def hello(self, incarnation, role, received=0):
        return self.say(incarnation, Hello(PROTOCOL, role, role, incarnation, "job", 0, 1, {}, {"sample": received}))

    def chunk(self, incarnation, items=CHUNK, train_count=0):
        self.seq[incarnation] = seq = self.seq.get(incarnation, 0) + 1
        return Call(seq, "add", Form.CALLS, items, [((seq,), {})] * items, (1, train_count))

    def insert(self, incarnation, items=CHUNK, train_count=0):
        return self.say(incarnation, self.chunk(incarnation, items, train_count))

    def pull(self, wanted):
        """Ask for batches; return the numbers of those that came."""
        if self.learner not in self.host._clients:
            self.hello(self.learner, "learner")
        told = self.say(self.learner, Pull("sample", wanted, 0))
        self.told = [each for each in told if not isinstance(each[1], Batch)]
        return [message.number for _, message in told if isinstance(message, Batch)]

    def learn(self, train_count):
        self.pull(0)
        self.say(self.learner, Beat({"train_count": train_count}))

    def metric(self, name):
        return self.host.metrics()[name]

    def close(self):
        self.journal.close()


def fill(table):
    """Insert until the band's edge is reached."""
    for _ in range(3):
        table.insert(table.a)


@pytest.fixture
def table():
    return Table()


# --- actors too far ahead


def test_a_chunk_beyond_the_band_is_neither_applied_nor_acknowledged(table):
    fill(table)
    assert table.insert(table.a) == []
    assert (table.author.length(), table.metric("srl_held_chunks")) == (30, 1)
    table.pull(1)
    assert table.say(table.learner) == [(table.a, Ack(4, 4 + WINDOW))]
    assert table.metric("srl_held_chunks") == 0


def test_control_with_the_limiter_off_it_is_both():
    table = Table(limit=None)
    fill(table)
    assert table.insert(table.a) == [(table.a, Ack(4, 4 + WINDOW))]
    assert table.author.length() == 40


def test_chunks_are_let_in_in_the_order_in_which_they_came(table):
    fill(table)
    table.insert(table.a)
    table.insert(table.b, items=1)  # small enough, but it came later
    table.insert(table.a)
    assert table.author.length() == 30
    table.pull(1)
    table.say(table.learner)
    assert table.author.length() == 40
    table.pull(2)
    assert [to for to, _ in table.say(table.learner)] == [table.b]
    table.pull(3)
    assert [to for to, _ in table.say(table.learner)] == [table.a]
    assert table.author.length() == 51


def test_what_is_held_is_bounded_by_credit(table):
    fill(table)
    calls = [table.chunk(table.a) for _ in range(WINDOW)]
    for _ in range(3):
        table.say(table.a, *calls)
    assert table.metric("srl_held_chunks") == WINDOW


def test_a_held_chunk_that_comes_again_is_applied_once(table):
    fill(table)
    call = table.chunk(table.a)
    table.say(table.a, call)
    table.say(table.a, call)
    table.pull(2)
    table.say(table.learner)
    assert table.author.length() == 40
    assert table.metric("srl_duplicate_chunks_total") == 1


def test_an_actor_that_leaves_is_not_held(table):
    fill(table)
    table.insert(table.a)
    table.insert(table.b)
    assert (table.b, Ack(1, 1 + WINDOW)) in table.say(table.b, Beat({"leaving": True}))
    assert (table.b, Ack(2, 2 + WINDOW)) in table.insert(table.b)
    assert table.metric("srl_held_chunks") == 1
    assert table.author.items[-20:] == [1] * 10 + [2] * 10


def test_one_that_says_hello_again_sends_again_what_was_held(table):
    fill(table)
    call = table.chunk(table.a)
    table.say(table.a, call)
    ((_, welcome),) = table.hello(table.a, "actor")
    assert (type(welcome), welcome.applied_seq) == (Welcome, 3)
    assert table.metric("srl_held_chunks") == 0
    table.say(table.a, call)
    table.pull(1)
    assert table.say(table.learner) == [(table.a, Ack(4, 4 + WINDOW))]


def test_what_a_forgotten_actor_sent_is_held_no_longer(table):
    fill(table)
    table.insert(table.a)
    table.clock.advance(FORGET_AFTER_S + 1)
    table.host.maintain()
    assert table.metric("srl_held_chunks") == 0


def test_a_malformed_chunk_is_refused_when_its_turn_comes(table):
    fill(table)
    table.say(table.a, Call(4, "add", Form.CALLS, 3, [((1,), {})], (0, 0)))
    table.pull(1)
    ((to, refusal),) = [each for each in table.say(table.learner) if each[0] != table.learner]
    assert (to, type(refusal)) == (table.a, Refuse)
    assert "a chunk of 3 items has a body of another length" in refusal.reason
    assert table.author.length() == 30


def test_a_chunk_of_too_many_items_is_refused_at_once(table):
    ((_, refusal),) = table.insert(table.a, items=CHUNK + 1)
    assert "SRL_CHUNK_ITEMS=10: give actors and the Memory's host the same" in refusal.reason


def test_a_held_chunk_that_the_disk_refuses_comes_again(table, monkeypatch):
    fill(table)
    call = table.chunk(table.a)
    table.say(table.a, call)

    def refuse(*_args):
        raise StorageError("full")

    with monkeypatch.context() as patch:
        patch.setattr(table.memory, "insert", refuse)
        table.pull(1)
        assert table.say(table.learner) == []
    assert table.say(table.a, call) == [(table.a, Ack(4, 4 + WINDOW))]


# --- a held client does not send again


def test_a_beat_says_how_many_chunks_are_held(table):
    fill(table)
    table.insert(table.a)
    ((_, beat),) = table.say(table.a, Beat({}))
    assert beat.counters["held"] == 1
    ((_, beat),) = table.say(table.b, Beat({}))
    assert "held" not in beat.counters


@pytest.mark.parametrize(("counters", "resent"), [({"held": 1}, 0), ({}, 1)], ids=["held", "control: lost"])
def test_what_the_host_holds_is_not_sent_again(counters, resent):
    clock = Clock()
    client = MessageClient(clock)
    link = Link(client, Role.ACTOR, "actor", new_incarnation(), "job", clock, dict)
    client.arrive(Welcome(PROTOCOL, b"host", 0, 4))
    link.poll()
    link.call("add", Form.CALLS, 1, [((1,), {})])
    client.arrive(Beat(counters))
    link.poll()
    clock.advance(links.RESEND_AFTER_S + 0.1)
    link.poll()
    assert link.resent == resent
    client.arrive(Beat({}))
    link.poll()
    link.poll()
    assert link.resent == 1


# --- the learner too far ahead


def test_no_batch_before_the_minimum_and_none_beyond_the_band(table):
    assert table.pull(5) == []
    table.insert(table.a, items=CHUNK - 1)
    assert table.pull(5) == []
    told = table.insert(table.a)
    assert [message.number for _, message in told if isinstance(message, Batch)] == [1, 2]
    told = table.insert(table.a)
    assert [message.number for _, message in told if isinstance(message, Batch)] == [3]


def test_a_learner_that_is_away_costs_nothing(table):
    fill(table)
    table.insert(table.a)
    assert table.author.length() == 30
    assert table.pull(9) == [1, 2, 3, 4]
    assert (table.author.length(), table.metric("srl_samples_ahead_items")) == (30, 20)
    table.say(table.learner)
    assert table.author.length() == 40


def test_a_learner_that_left_waits_for_nobody(table):
    table.insert(table.a)
    table.pull(9)
    table.clock.advance(3)
    table.say(table.learner, Bye())
    table.clock.advance(3)
    assert table.metric("srl_batches_wait_seconds_total") == 3


def test_the_learner_hears_that_batches_are_withheld(table):
    def hears():
        ((_, beat),) = table.say(table.learner, Beat({}))
        return beat.counters.get("withholds", False)

    fill(table)
    assert table.pull(2) == [1, 2]
    assert not hears()
    assert table.pull(5) == [3, 4]
    assert hears()
    table.insert(table.a)  # lets the fifth go
    assert hears()
    table.clock.advance(WITHHELD_LATELY_S)
    assert not hears()


def test_who_waits_for_whom_is_counted(table):
    table.insert(table.a)
    table.pull(9)
    table.clock.advance(3)
    assert table.metric("srl_batches_wait_seconds_total") == 3
    fill(table)
    table.pull(99)
    table.say(table.learner, *[Hello(PROTOCOL, "learner", "l", table.learner, "job", 0, 1, {}, {})])
    before = table.metric("srl_inserts_wait_seconds_total")
    for _ in range(6):
        table.insert(table.a)
    table.clock.advance(2)
    assert table.metric("srl_inserts_wait_seconds_total") == before + 2


# --- tuning


def test_tuning_lets_in_what_was_held_and_the_same_again_is_no_news(table, caplog):
    caplog.set_level("INFO", "srl")
    fill(table)
    table.insert(table.a)
    for _ in range(2):
        table.host.tune({"samples_per_insert_tolerance_items": 40.0})
    assert table.say(table.a) == [(table.a, Ack(4, 4 + WINDOW))]
    assert caplog.text.count("changed while running: samples_per_insert_tolerance_items=40.0") == 1
    assert table.metric("srl_samples_tolerance_items") == 40


def test_a_bad_value_is_refused_once_and_changes_nothing(table, caplog):
    for _ in range(2):
        table.host.tune({"samples_per_insert": -3})
    assert caplog.text.count("nothing is changed: SRL_SAMPLES_PER_INSERT=-3: write a number above 0") == 1
    assert (table.metric("srl_samples_per_insert_target"), table.metric("srl_tunings_refused_total")) == (1, 1)


# --- restarts


def restarted(table, folder, **settings):
    table.close()
    return Table(folder=folder, **settings)


def test_inserts_of_the_journal_count(tmp_path):
    table = Table(folder=tmp_path)
    fill(table)
    again = restarted(table, tmp_path)
    assert again.metric("srl_samples_ahead_items") == -20
    assert again.insert(again.a) == []
    again.close()


def test_samples_that_the_learner_has_count_though_no_journal_has_them(tmp_path):
    table = Table(folder=tmp_path)
    fill(table)
    assert table.pull(2) == [1, 2]
    table.insert(table.a)
    again = restarted(table, tmp_path)
    assert again.metric("srl_samples_ahead_items") == -30
    again.hello(again.learner, "learner", received=2)
    assert again.metric("srl_samples_ahead_items") == -10
    again.close()


def test_a_learner_that_is_set_back_sets_no_counter_back(table):
    fill(table)
    assert table.pull(2) == [1, 2]
    counters = {"srl_batches_total": {"sample": 2}, "srl_samples_total": 20}
    assert {name: table.metric(name) for name in counters} == counters
    table.hello(new_incarnation(), "learner", received=0)
    assert table.memory.streams["sample"].made == table.memory.flow.limiter.samples == 0
    assert {name: table.metric(name) for name in counters} == counters


def test_counters_are_part_of_the_checkpoint(tmp_path):
    table = Table(folder=tmp_path)
    fill(table)
    table.pull(1)
    table.memory.checkpoint()
    again = restarted(table, tmp_path)
    assert (again.metric("srl_samples_ahead_items"), again.memory.flow.limiter.samples) == (-10, 10)
    assert again.memory.flow.staleness.to_data() == [[30, 0]]
    again.close()


def test_a_learner_without_a_snapshot_does_not_train_for_all_that_was_ever_inserted(table):
    fill(table)
    for number in range(1, 9):
        table.pull(number)
        table.insert(table.a)
    new = new_incarnation()
    table.hello(new, "learner", received=0)
    assert table.metric("srl_samples_ahead_items") == -20


# --- staleness


def test_how_old_experience_is_when_sampled():
    table = Table(limit=None)
    table.author.capacity = 20
    for train_count in (0, 50, 70):
        table.insert(table.a, train_count=train_count)
    table.learn(100)
    table.pull(1)
    assert table.metric("srl_staleness_mean_updates") == 40  # of 50 and 70: those of 0 are gone
    assert table.metric("srl_staleness_max_updates") == 50


def test_of_a_memory_that_is_consumed_from_it_is_what_was_taken():
    table = Table(Queue, limit=None)
    for train_count in (50, 70, 90):
        table.insert(table.a, items=1, train_count=train_count)
    table.learn(100)
    table.pull(1)
    assert (table.metric("srl_staleness_mean_updates"), table.metric("srl_staleness_max_updates")) == (40, 50)
    table.pull(2)
    assert (table.metric("srl_staleness_mean_updates"), table.metric("srl_staleness_max_updates")) == (10, 10)


def test_replay_waits_for_fresher_experience_and_the_limiter_lets_it_in():
    table = Table(max_staleness_updates=30)
    table.author.capacity = 30
    fill(table)
    table.insert(table.a)
    table.learn(40)
    assert table.pull(1) == []
    table.clock.advance(3)
    assert table.metric("srl_batches_wait_seconds_total") == 3
    told = table.insert(table.a, train_count=40)
    assert [message.number for _, message in told if isinstance(message, Batch)] == [1]
    assert table.author.items == [3] * 10 + [4] * 10 + [5] * 10


def test_control_without_a_limit_old_experience_is_sampled():
    table = Table()
    fill(table)
    table.learn(40)
    assert table.pull(1) == [1]


def test_a_queue_leaves_out_what_is_too_old_and_acknowledges_it(tmp_path):
    table = Table(Queue, tmp_path, limit=None, max_staleness_updates=30)
    table.learn(100)
    assert table.insert(table.a, train_count=69) == [(table.a, Ack(1, 1 + WINDOW))]
    assert table.insert(table.a, train_count=70) == [(table.a, Ack(2, 2 + WINDOW))]
    assert table.author.items == [2] * 10
    assert table.metric("srl_stale_items_total") == 10
    table.close()
    again = Table(Queue, tmp_path, limit=None)
    assert again.author.items == [2] * 10
    assert again.memory.ack(Role.ACTOR, table.a)[0] == 2
    again.close()


def test_control_without_a_limit_a_queue_takes_what_is_old():
    table = Table(Queue, limit=None)
    table.learn(100)
    table.insert(table.a, train_count=0)
    assert table.author.items == [1] * 10


def test_nothing_is_too_old_while_the_learner_has_not_said_how_far_it_is():
    table = Table(Queue, limit=None, max_staleness_updates=1)
    table.insert(table.a, train_count=0)
    table.pull(1)
    assert (table.author.length(), table.metric("srl_staleness_mean_updates")) == (8, 0)


@pytest.mark.parametrize("counters", [{}, {"train_count": "many"}])
def test_a_beat_without_a_train_count_is_no_harm(table, counters):
    table.pull(0)
    table.say(table.learner, Beat(counters))
    assert table.memory.flow.staleness.train_count is None


def test_a_memory_that_does_not_say_its_length_has_no_staleness():
    class Unknown(Replay):
        def length(self):
            return -1

    table = Table(Unknown, limit=None)
    table.insert(table.a)
    table.learn(9)
    table.pull(1)
    assert table.metric("srl_staleness_mean_updates") == 0


def test_damaged_versions_are_noticed(table):
    with pytest.raises(CorruptError, match="in the place of how many items have which version"):
        table.memory.flow.staleness.load_data([[1, 2], [3]])
