"""Back-pressure: what waits for the learner is bounded; who waits for credit is told when there is room."""

import pickle
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import ledger

from services.hosting.durable_memory import DurableMemory, Room
from services.hosting.endpoints import blobs_body
from services.hosting.host import MemoryHost
from srl_common import messages
from srl_common.link import new_incarnation
from srl_common.messages import PROTOCOL, Ack, Batch, Call, Form, Hello, Pull, Welcome

WINDOW = 2
ACTOR, LEARNER = new_incarnation(), new_incarnation()


class Table:
    """A host with room for three items, an actor and a learner."""

    def __init__(self):
        memory = DurableMemory(
            ledger.Memory(ledger.Config()), "job", None, WINDOW, 8, 1 << 20, keeps_batches=True,
            room=Room(3, 1 << 30, 1 << 30),
        )  # fmt: skip
        self.host = MemoryHost(memory, "job", lambda: 0.0)

    def say(self, incarnation, message):
        """Hand a message in, and return all answers to it."""
        self.host.handle(incarnation, messages.encode(message))
        self.host.acknowledge()
        self.host.make_batches()
        answers = [(to, messages.decode(frames)) for to, frames in self.host.outbox]
        self.host.outbox.clear()
        return answers

    def hello(self, incarnation, role):
        return self.say(incarnation, Hello(PROTOCOL, role, role, incarnation, "job", 0, 1, {}, {}))

    def insert(self, seq):
        body = blobs_body([pickle.dumps(["a", seq])])
        return self.say(ACTOR, Call(seq, "add", Form.BLOBS, 1, body, (0, 0)))


def test_a_client_that_waits_for_credit_is_told_when_there_is_room():
    table = Table()
    assert table.hello(ACTOR, "actor") == [(ACTOR, Welcome(PROTOCOL, table.host._incarnation, 0, WINDOW, 0, 1))]
    assert table.insert(1) == [(ACTOR, Ack(1, 3))]
    assert table.insert(2) == [(ACTOR, Ack(2, 4))]
    assert table.insert(3) == [(ACTOR, Ack(3, 4))]  # full: one call is still granted, no more
    assert table.insert(4) == [(ACTOR, Ack(4, 4))]
    table.hello(LEARNER, "learner")
    taken = table.say(LEARNER, Pull("sample", 1, 0))
    assert (LEARNER, Batch("sample", 1, [["a", seq] for seq in range(1, 5)])) in taken
    told = taken + table.say(LEARNER, Pull("sample", 1, 0))
    assert (ACTOR, Ack(4, 4 + WINDOW)) in told


def test_an_observer_may_come_when_there_is_no_room():
    table = Table()
    table.hello(ACTOR, "actor")
    for seq in range(1, 5):
        table.insert(seq)
    observer = new_incarnation()
    assert [to for to, _ in table.hello(observer, "observer")] == [observer]
    table.hello(LEARNER, "learner")
    told = table.say(LEARNER, Pull("sample", 1, 0)) + table.say(LEARNER, Pull("sample", 1, 0))
    assert not [message for to, message in told if to == observer]


def test_a_client_that_comes_when_there_is_no_room_is_told_later():
    table = Table()
    table.hello(ACTOR, "actor")
    for seq in range(1, 5):
        table.insert(seq)
    late = new_incarnation()
    table.hello(late, "actor")
    table.hello(LEARNER, "learner")
    told = table.say(LEARNER, Pull("sample", 1, 0)) + table.say(LEARNER, Pull("sample", 1, 0))
    assert (late, Ack(0, WINDOW)) in told
