"""The limiter of samples per insert, in a real host: whatever actors and learner do, the ratio stays in its band.

The counts are those of the author's Memory, not the limiter's. The negative control is the same with the limiter off.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.hosting.durable_memory import DurableMemory
from services.hosting.flow import Flow
from services.hosting.host import MemoryHost
from services.hosting.staleness import Staleness
from srl.base.rl.config import DummyRLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.rate_limit import RateLimit
from srl_common import messages
from srl_common.errors import SettingError
from srl_common.link import new_incarnation
from srl_common.messages import PROTOCOL, Ack, Batch, Call, Form, Hello, Pull, Welcome
from srl_common.settings import HostSettings

ACTORS = 3
ROUNDS = 200
EPSILON = 1e-6


class Memory(RLMemory):
    """A replay memory that only counts; it gives nothing below `warmup` items."""

    def setup(self):
        self.inserted = self.sampled = self.first = 0
        self.register_worker_func(self.add)
        self.register_trainer_recv_func(self.sample, consumes=False)

    def length(self):
        return self.inserted

    def add(self, item):
        self.inserted += 1

    def sample(self):
        if self.inserted < self.config.warmup:
            return None
        self.sampled += 1
        return self.sampled


@dataclass
class Config(DummyRLConfig):
    limit: RateLimit | None = None
    warmup: int = 1

    def get_rate_limit(self):
        return self.limit


@dataclass
class Actor:
    incarnation: bytes = field(default_factory=new_incarnation)
    sent: int = 0
    limit_seq: int = 0


class Cluster:
    """A host, actors that send while they have credit, and a learner that asks for batches."""

    def __init__(self, config, chunk_items, window):
        host_settings = HostSettings(chunk_items=chunk_items)
        self.author = Memory(config)
        flow = Flow(config, host_settings, lambda: 0.0, consumes=False)
        self.memory = DurableMemory(self.author, "job", None, window, 8, 1 << 20, keeps_batches=True, flow=flow)
        ticks = itertools.count()
        self.host = MemoryHost(self.memory, "job", lambda: next(ticks) * 1e-3)
        self.chunk_items = chunk_items
        self.received = self.wanted = 0
        self.begun_at = None
        self.actors = [Actor() for _ in range(ACTORS)]
        self.learner = new_incarnation()
        for actor in self.actors:
            self.hello(actor.incarnation, "actor")
        self.hello(self.learner, "learner")

    def hello(self, incarnation, role):
        self.say(incarnation, Hello(PROTOCOL, role, role, incarnation, "job", 0, 1, {}, {}))

    def say(self, incarnation, message):
        self.host.handle(incarnation, messages.encode(message))
        self.host.acknowledge()
        self.note_beginning()
        self.host.make_batches()
        while self.host.outbox:
            to, frames = self.host.outbox.popleft()
            self.take(to, messages.decode(frames))

    def take(self, to, message):
        assert isinstance(message, Ack | Welcome | Batch), message
        if isinstance(message, Batch):
            self.received = message.number
        for actor in self.actors:
            if actor.incarnation == to:
                actor.limit_seq = message.limit_seq

    def insert(self, number, count):
        """Send a chunk of one of the actors, if it has credit."""
        actor = self.actors[number % ACTORS]
        if actor.sent < actor.limit_seq:
            actor.sent += 1
            self.say(actor.incarnation, Call(actor.sent, "add", Form.CALLS, count, [((0,), {})] * count, (0, 0)))

    def pull(self, batches):
        """Ask for so many batches more than have come."""
        self.wanted = max(self.wanted, self.received + batches)
        self.say(self.learner, Pull("sample", self.wanted, 0))

    # --- what must hold

    def note_beginning(self):
        limit = self.author.config.limit
        if self.begun_at is None and self.author.inserted >= limit.minimum_items:
            self.begun_at = self.author.inserted

    @property
    def ahead(self):
        limit, author = self.author.config.limit, self.author
        if self.begun_at is None:
            assert author.sampled == 0
            return 0.0
        return author.sampled * limit.batch_items - limit.samples_per_insert * (author.inserted - self.begun_at)


def limits():
    return st.builds(
        RateLimit,
        samples_per_insert=st.floats(0.05, 300) | st.sampled_from([1, 8, 32]),
        batch_items=st.integers(1, 64),
        minimum_items=st.integers(1, 200),
        tolerance_items=st.just(0) | st.floats(1, 20_000),
    )


INSERT = st.tuples(st.integers(0, ACTORS - 1), st.floats(0, 1))
PULL = st.tuples(st.just(-1), st.integers(1, 5))


def cluster_of(limit, chunk_items, window, warmup=1):
    try:
        return Cluster(Config(limit=limit, warmup=warmup), chunk_items, window)
    except SettingError:
        return None


def play(cluster, steps):
    """Make the moves; yield after each."""
    for who, what in steps:
        if who < 0:
            cluster.pull(what)
        else:
            cluster.insert(who, 1 + round(what * (cluster.chunk_items - 1)))
        yield


@settings(max_examples=60, deadline=None)
@given(limits(), st.integers(1, 40), st.integers(1, 6), st.lists(INSERT | PULL, max_size=120))
def test_no_interleaving_leaves_the_band(limit, chunk_items, window, steps):
    cluster = cluster_of(limit, chunk_items, window)
    assume(cluster is not None)
    tolerance = cluster.memory.flow.limiter.limit.tolerance_items
    for _ in play(cluster, steps):
        assert abs(cluster.ahead) <= tolerance + EPSILON


@settings(max_examples=60, deadline=None)
@given(limits(), st.integers(1, 40), st.integers(1, 6), st.lists(INSERT | PULL, max_size=60), st.integers(1, 600))
def test_actors_and_learner_never_wait_for_each_other(limit, chunk_items, window, steps, warmup):
    """Also when the Memory gives nothing before far more than `minimum_items` are there."""
    cluster = cluster_of(limit, chunk_items, window, warmup)
    assume(cluster is not None)
    for _ in play(cluster, steps):
        pass
    author = cluster.author
    batches_for_a_chunk = math.ceil(limit.samples_per_insert * chunk_items / limit.batch_items)
    for _ in range(5):
        inserted, sampled = author.inserted, author.sampled
        for number in range(ROUNDS * 10 + batches_for_a_chunk):
            cluster.pull(5)
            cluster.insert(number, chunk_items)
            if author.inserted > inserted and author.sampled > sampled:
                break
        else:
            pytest.fail(f"{author.inserted - inserted} inserts, {author.sampled - sampled} samples more")


def test_control_with_a_tolerance_that_is_refused_they_do(monkeypatch):
    limit = RateLimit(samples_per_insert=10, batch_items=10, minimum_items=10, tolerance_items=20)
    assert cluster_of(limit, chunk_items=10, window=4) is None
    monkeypatch.setattr("services.hosting.flow.require_no_deadlock", lambda *_: None)
    cluster = cluster_of(limit, chunk_items=10, window=4)
    for number in range(50):
        cluster.pull(5)
        cluster.insert(number, 10)
    assert (cluster.author.inserted, cluster.author.sampled) == (10, 2)


@pytest.mark.parametrize("steps", [[(0, 1.0)] * 60, [(0, 1.0), *[(-1, 5)] * 60]], ids=["inserts", "samples"])
def test_control_without_the_limiter_either_side_leaves_the_band(steps):
    limit = RateLimit(samples_per_insert=8, batch_items=32, minimum_items=10, tolerance_items=100)

    class Unlimited(Cluster):
        def say(self, incarnation, message):
            self.memory.flow.limiter.change(None)
            super().say(incarnation, message)

    def farthest(kind):
        cluster = kind(Config(limit=limit), 10, 4)
        return max(abs(cluster.ahead) for _ in play(cluster, steps))

    assert farthest(Cluster) <= 100
    assert farthest(Unlimited) > 100


@settings(max_examples=100, deadline=None)
@given(st.floats(0.01, 1000), st.integers(1, 512), st.integers(1, 512), st.floats(0, 1))
def test_what_is_refused_could_deadlock_and_what_is_accepted_cannot(ratio, batch_items, chunk_items, share):
    """By the rules of waiting alone: is there an `ahead` at which the largest chunk and a batch both wait?"""
    smallest = (ratio * chunk_items + batch_items) / 2
    tolerance = 2 * share * smallest
    assume(tolerance > 0 and abs(tolerance - smallest) > EPSILON * smallest)
    limit = RateLimit(samples_per_insert=ratio, batch_items=batch_items, tolerance_items=tolerance)
    both_wait = tolerance - batch_items < ratio * chunk_items - tolerance
    accepted = cluster_of(limit, chunk_items, 1) is not None
    assert accepted is not both_wait


VERSIONED = st.tuples(st.integers(1, 9), st.integers(0, 50))


@settings(max_examples=60, deadline=None)
@given(st.lists(VERSIONED | st.just("sample"), max_size=60), st.integers(1, 40), st.booleans())
def test_staleness_is_that_of_the_items_in_the_memory(steps, capacity, consumes):
    staleness = Staleness(0, consumes=consumes)
    staleness.train_count = 50
    there = []
    for step in steps:
        if step != "sample":
            there = (there + [step[1]] * step[0])[-capacity:]
            staleness.on_inserted(*step, len(there))
        elif there:
            taken = there[:5] if consumes else there
            there = there[5:] if consumes else there
            staleness.on_sampled(len(there))
            assert staleness.mean_updates == pytest.approx(50 - sum(taken) / len(taken))
            assert staleness.max_updates == 50 - taken[0]
