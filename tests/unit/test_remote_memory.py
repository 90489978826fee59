"""What `self.memory` is in an actor and in a learner: chunks that leave in order, batches that come in order."""

import pickle
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conversation import Clock, MessageClient

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import column_memory
import custom_memory
import ledger

from services.actor.remote_memory import RemoteMemory as ActorMemory
from services.hosting.endpoints import Endpoints
from services.learner import remote_memory as learners
from services.learner.remote_memory import RemoteMemory as LearnerMemory
from srl.base.rl.memory import RLMemory
from srl_common.errors import EncodeError, UndeliveredError
from srl_common.link import Link, new_incarnation
from srl_common.messages import PROTOCOL, Ack, Batch, Beat, Bye, Call, Form, Hello, Pull, Role, Stranger, Welcome

CREDIT = 100
VERSION = (3, 9)


class Wire:
    """A link that has been welcomed, and what leaves by it."""

    def __init__(self, role, credit=CREDIT, positions=lambda: ({}, {})):
        self.clock = Clock()
        self.client = MessageClient(self.clock)
        self.given_up = False
        self.link = Link(self.client, role, role.value, new_incarnation(), "job", self.clock, dict, positions=positions)
        self.credit = credit

    def welcome(self):
        self.client.arrive(Welcome(PROTOCOL, b"host", 0, self.credit))
        self.link.poll()
        self.client.take_sent()

    def calls(self):
        """Return the chunks that have left since the last time."""
        return self.client.take_sent(Call)


def actor_memory(author, wire, **options):
    chunk = {"chunk_items": 4, "chunk_bytes": 1 << 20, "chunk_age_s": 0.5, **options}
    wire.welcome()
    return ActorMemory(
        author, wire.link, **chunk, clock=wire.clock, give_up=lambda: wire.given_up, version=lambda: VERSION
    )


@pytest.fixture
def wire():
    return Wire(Role.ACTOR)


def arrived(author, calls):
    """Apply the chunks to the author's Memory as its host does."""
    endpoints = Endpoints(author)
    for call in calls:
        endpoints.check(Role.ACTOR, call)
        endpoints.bind(Role.ACTOR, call)()
    return author


# --- the actor's


def test_a_chunk_leaves_when_it_is_full(wire):
    memory = actor_memory(ledger.Memory(), wire)
    for number in range(7):
        memory.add(["a", number])
    (call,) = wire.calls()
    assert (call.seq, call.endpoint, call.form, call.count, call.version) == (1, "add", Form.BLOBS, 4, VERSION)
    assert arrived(ledger.Memory(), [call]).items == [["a", number] for number in range(4)]


def test_a_chunk_leaves_when_it_is_old(wire):
    memory = actor_memory(ledger.Memory(), wire)
    memory.flush_old()
    memory.add(["a", 0])
    wire.clock.advance(0.4)
    memory.add(["a", 1])
    memory.flush_old()
    assert wire.calls() == []
    wire.clock.advance(0.1)
    memory.flush_old()
    assert [call.count for call in wire.calls()] == [2]
    memory.add(["a", 2])
    memory.flush_old()
    assert wire.calls() == [], "the age is that of the chunk's first item"


@pytest.mark.parametrize("limit", [1, 200])
def test_a_chunk_leaves_when_it_has_bytes_enough(wire, limit):
    memory = actor_memory(ledger.Memory(), wire, chunk_bytes=limit, chunk_items=1000)
    item = ["a" * 50, 0]
    per_chunk = -(-limit // len(pickle.dumps(item)))
    for _ in range(2 * per_chunk):
        memory.add(item)
    assert [call.count for call in wire.calls()] == [per_chunk, per_chunk]


def test_arrays_in_items_count_as_bytes(wire):
    memory = actor_memory(custom_memory.Memory(), wire, chunk_bytes=1000, chunk_items=1000)
    memory.add(np.zeros(900, np.uint8), None)
    memory.add(np.zeros(900, np.uint8), None)
    assert [call.count for call in wire.calls()] == [2]


def test_another_function_sends_the_open_chunk_first(wire):
    memory = actor_memory(custom_memory.Memory(), wire)
    memory.add(1, None)
    memory.remark("one")
    memory.remark("two")
    memory.add(2, None)
    assert [(call.endpoint, call.count) for call in wire.calls()] == [("add", 1), ("remark", 2)]


def test_all_arrives_in_the_order_in_which_it_was_added(wire):
    class Diary(RLMemory):
        def setup(self):
            self.seen = []
            self.register_worker_func(self.write, pickle.dumps)
            self.register_worker_func(self.note)
            self.register_worker_func(self.remark)

        def write(self, page, serialized=False):
            self.seen.append(pickle.loads(page) if serialized else page)

        def note(self, word):
            self.seen.append(("note", word))

        def remark(self, word):
            self.seen.append(("remark", word))

    memory, expected = actor_memory(Diary(), wire), Diary()
    for number in range(40):
        name = ("write", "write", "note", "remark", "remark", "note", "write")[number % 7]
        getattr(memory, name)(number)
        getattr(expected, name)(number)
    memory.flush()
    calls = wire.calls()
    assert [call.seq for call in calls] == list(range(1, len(calls) + 1))
    assert arrived(Diary(), calls).seen == expected.seen


def test_flush_sends_the_open_chunk_and_nothing_when_there_is_none(wire):
    memory = actor_memory(ledger.Memory(), wire)
    memory.flush()
    memory.add(["a", 0])
    memory.flush()
    memory.flush()
    assert [call.count for call in wire.calls()] == [1]
    assert (memory.chunks_sent, memory.items_sent) == (1, {"add": 1})


@pytest.mark.parametrize("arguments", [((1, "x"), {}), ((), {"level": 2, "note": (None,)}), ((), {})])
def test_arguments_arrive_as_they_were_given(wire, arguments):
    args, kwargs = arguments
    memory = actor_memory(custom_memory.Memory(), wire)
    memory.remark(*args, **kwargs)
    memory.flush()
    here = custom_memory.Memory()
    here.remark(*args, **kwargs)
    assert arrived(custom_memory.Memory(), wire.calls()).notes == here.notes


def test_items_of_a_schema_travel_as_columns_and_others_between_them_in_order(wire):
    memory = actor_memory(column_memory.Memory(), wire)
    items = [column_memory.make_item(number) for number in range(40)]
    for item in items:
        memory.add(item)
    memory.flush()
    calls = wire.calls()
    assert {call.form for call in calls} == {Form.COLUMNS, Form.BLOBS}
    there = arrived(column_memory.Memory(), calls)
    assert [item["number"] for item in there.items] == list(range(40))
    assert all(np.array_equal(one["state"], other["state"]) for one, other in zip(there.items, items, strict=True))


def test_without_credit_a_call_waits_and_drops_nothing():
    wire = Wire(Role.ACTOR, credit=1)
    memory = actor_memory(ledger.Memory(), wire, chunk_items=1)
    memory.add(["a", 0])
    first = wire.calls()
    turns = []

    def host():
        turns.append(1)
        if len(turns) == 3:
            wire.client.arrive(Ack(1, 2))

    wire.client.host = host
    memory.add(["a", 1])
    assert arrived(ledger.Memory(), first + wire.calls()).items == [["a", 0], ["a", 1]]
    assert memory._link.credit_wait_s > 0.1


def test_waiting_ends_with_the_time_to_drain():
    wire = Wire(Role.ACTOR, credit=1)
    memory = actor_memory(ledger.Memory(), wire, chunk_items=1)
    memory.add(["a", 0])
    wire.given_up = True
    with pytest.raises(UndeliveredError):
        memory.add(["a", 1])


def test_an_item_that_cannot_travel_names_the_function_and_the_place(wire):
    memory = actor_memory(custom_memory.Memory(), wire)
    memory.remark("fine")

    def remark_badly():
        memory.remark({"deep": {1, 2}})
        memory.flush()

    with pytest.raises(EncodeError, match=r"Memory.remark: an item cannot travel: cannot encode set at .*\['deep'\]"):
        remark_badly()


def test_the_error_of_an_actor_lists_what_its_memory_has(wire):
    memory = actor_memory(custom_memory.Memory(), wire)
    with pytest.raises(AttributeError) as caught:
        memory.sample()
    assert str(caught.value) == (
        "an actor's memory has no 'sample': it has what Memory.setup registers with register_worker_func "
        "(add, remark), and length"
    )


def test_the_error_of_an_actor_says_when_nothing_is_registered(wire):
    with pytest.raises(AttributeError, match=r"has no 'add': .* \(nothing\), and length"):
        actor_memory(RLMemory(), wire).add(1)


@pytest.mark.parametrize("role", [Role.ACTOR, Role.LEARNER])
def test_the_length_is_what_the_host_last_said(role):
    wire = Wire(role)
    make = {Role.ACTOR: actor_memory, Role.LEARNER: learner_memory}[role]
    memory = make(ledger.Memory(), wire)
    assert memory.length() == -1
    wire.client.arrive(Beat({"memory_length": 12}))
    wire.link.poll()
    assert memory.length() == 12


# --- the learner's


def learner_memory(author, wire, position=None, prefetch=4):
    memory = LearnerMemory(author, position or {}, prefetch, wire.clock, lambda: wire.given_up)
    wire.link._positions = memory.positions
    memory.connect(wire.link)
    wire.welcome()
    return memory


@pytest.fixture
def learner_wire():
    return Wire(Role.LEARNER)


@pytest.fixture
def learner(learner_wire):
    return learner_memory(ledger.Memory(), learner_wire)


def arrive(wire, memory, *numbers):
    """Let batches come, each with its number as its value."""
    wire.client.arrive(*[Batch("sample", number, number) for number in numbers])
    memory.poll()


def pulls(wire):
    return [(pull.endpoint, pull.wanted, pull.released) for pull in wire.client.take_sent(Pull)]


def test_a_learner_asks_for_a_window_of_batches_at_once(learner_wire, learner):
    learner.poll()
    assert pulls(learner_wire) == [("sample", 4, 0)]


def test_a_learner_does_not_ask_before_it_is_welcomed():
    wire = Wire(Role.LEARNER)
    memory = LearnerMemory(ledger.Memory(), {}, 4, wire.clock, lambda: False)
    memory.connect(wire.link)
    memory.poll()
    assert [type(message) for message in wire.client.take_sent()] == [Hello]


def test_batches_are_taken_in_order_and_none_means_not_yet(learner_wire, learner):
    assert learner.sample() is None
    arrive(learner_wire, learner, 1, 2)
    assert [learner.sample(), learner.sample(), learner.sample()] == [1, 2, None]
    assert learner.taken == 2
    assert learner.consumed() == {"sample": 2}


def test_a_learner_asks_for_more_when_half_of_the_window_is_free(learner_wire, learner):
    learner.poll()
    arrive(learner_wire, learner, 1, 2, 3, 4)
    learner_wire.client.take_sent()
    learner.sample()
    learner.poll()
    assert pulls(learner_wire) == []
    learner.sample()
    learner.poll()
    assert pulls(learner_wire) == [("sample", 6, 0)]


def test_a_learner_asks_again_for_what_may_have_been_lost(learner_wire, learner):
    learner.poll()
    pulls(learner_wire)
    learner_wire.clock.advance(learners.ASK_AGAIN_AFTER_S - 0.01)
    learner.poll()
    assert pulls(learner_wire) == []
    learner_wire.clock.advance(0.01)
    learner.poll()
    assert pulls(learner_wire) == [("sample", 4, 0)]


def test_duplicates_are_dropped(learner_wire, learner):
    arrive(learner_wire, learner, 1, 2, 1, 2, 3)
    assert [learner.sample() for _ in range(4)] == [1, 2, 3, None]
    assert learner_wire.client.take_sent(Hello) == []


def test_a_missing_batch_leads_to_hello_with_what_was_received(learner_wire, learner):
    arrive(learner_wire, learner, 1, 3)
    learner.poll()
    (hello,) = learner_wire.client.take_sent(Hello)
    assert (hello.released, hello.received) == ({"sample": 0}, {"sample": 1})
    assert [learner.sample(), learner.sample()] == [1, None]
    learner_wire.client.arrive(Welcome(PROTOCOL, b"host", 0, CREDIT))
    arrive(learner_wire, learner, 2, 3)
    assert [learner.sample(), learner.sample()] == [2, 3]


def test_after_a_new_welcome_the_window_is_asked_for_again(learner_wire, learner):
    learner.poll()
    arrive(learner_wire, learner, 1)
    learner_wire.client.arrive(Stranger())
    learner.poll()
    learner_wire.client.take_sent()
    learner_wire.client.arrive(Welcome(PROTOCOL, b"next", 0, CREDIT))
    learner.poll()
    assert pulls(learner_wire) == [("sample", 4, 0)]


def test_a_long_silence_leads_to_hello(learner_wire, learner):
    learner.poll()
    learner_wire.client.take_sent()
    learner_wire.clock.advance(learners.HELLO_AGAIN_AFTER_S)
    learner.poll()
    learner.poll()
    assert [type(message) for message in learner_wire.client.take_sent()] == [Beat, Hello]


def test_training_resumes_after_the_batches_of_its_snapshot(learner_wire):
    memory = learner_memory(ledger.Memory(), learner_wire, {"sample": 7})
    memory.poll()
    assert pulls(learner_wire) == [("sample", 11, 7)]
    arrive(learner_wire, memory, 7, 8)
    assert [memory.sample(), memory.sample()] == [8, None]


def test_a_stored_snapshot_releases_its_batches_once(learner_wire, learner):
    arrive(learner_wire, learner, 1, 2, 3)
    learner.sample()
    learner.sample()
    learner_wire.client.take_sent()
    learner.release({"sample": 2})
    learner.release({"sample": 2})
    assert pulls(learner_wire) == [("sample", 6, 2)]


def test_a_batch_of_an_unknown_function_is_no_harm(learner_wire, learner):
    learner_wire.client.arrive(Batch("simple", 1, "?"))
    learner.poll()
    assert learner.sample() is None


def test_each_function_has_a_window_of_its_own(learner_wire):
    memory = learner_memory(custom_memory.Memory(), learner_wire)
    learner_wire.client.arrive(Batch("overview", 1, "o"), Batch("sample", 1, "s"))
    memory.poll()
    assert (memory.sample(), memory.overview(), memory.overview()) == ("s", "o", None)
    assert memory.consumed() == {"sample": 1, "overview": 1}


def test_updates_travel_one_by_one_in_order(learner_wire):
    memory = learner_memory(custom_memory.Memory(), learner_wire)
    memory.update([1], np.ones(1), step=3)
    memory.forget()
    first, second = learner_wire.calls()
    assert (first.seq, first.endpoint, first.form, first.count) == (1, "update", Form.CALLS, 1)
    assert first.body[0][1] == {"step": 3}
    assert (second.seq, second.endpoint, second.body) == (2, "forget", [((), {})])


def test_an_update_without_credit_waits_until_it_is_given_up():
    wire = Wire(Role.LEARNER, credit=1)
    memory = learner_memory(custom_memory.Memory(), wire)
    memory.forget()
    wire.client.host = lambda: wire.client.arrive(Ack(1, 2))
    memory.forget()
    wire.client.host = lambda: None
    wire.given_up = True
    with pytest.raises(UndeliveredError):
        memory.forget()


def test_an_argument_that_cannot_travel_names_the_function(learner_wire):
    memory = learner_memory(custom_memory.Memory(), learner_wire)
    with pytest.raises(EncodeError, match="Memory.update: an argument cannot travel: cannot encode object"):
        memory.update([1], object(), step=3)


def test_the_error_of_a_learner_lists_what_its_memory_has(learner_wire):
    memory = learner_memory(custom_memory.Memory(), learner_wire)
    with pytest.raises(AttributeError) as caught:
        memory.add(1)
    assert str(caught.value) == (
        "a learner's memory has no 'add': it has what Memory.setup registers with register_trainer_recv_func and "
        "register_trainer_send_func (sample, overview, update, forget), and length"
    )


def test_the_error_of_a_learner_says_when_nothing_is_registered(learner_wire):
    with pytest.raises(AttributeError, match=r"has no 'sample': .* \(nothing\), and length"):
        learner_memory(RLMemory(), learner_wire).sample()


def test_the_learner_leaves_when_its_updates_are_acknowledged(learner_wire):
    memory = learner_memory(custom_memory.Memory(), learner_wire)
    memory.forget()
    turns = []

    def host():
        turns.append(1)
        if len(turns) == 3:
            learner_wire.client.arrive(Ack(1, 2))

    learner_wire.client.host = host
    memory.drain()
    assert len(turns) == 3
    assert learner_wire.client.sent[-1] == Bye()


def test_the_learner_leaves_without_acknowledgement_when_the_time_is_over(learner_wire):
    memory = learner_memory(custom_memory.Memory(), learner_wire)
    memory.forget()
    learner_wire.given_up = True
    memory.drain()
    assert learner_wire.client.sent[-1] == Bye()
    memory.close()
    assert learner_wire.client.closed


def test_the_time_that_training_waits_is_counted(learner_wire, learner):
    learner.wait(0.05)
    assert learner.wait_s == pytest.approx(0.05)


def test_a_window_wants_more_as_it_empties():
    window = learners.Window(start=10, size=6)
    wanted = [window.pull()]
    for number in range(11, 40):
        assert window.put(Batch("sample", number, number))
        assert window.take() == number
        if window.should_pull:
            wanted.append(window.pull())
    assert wanted[0] == 16
    assert {after - before for before, after in pairwise(wanted)} == {3}
