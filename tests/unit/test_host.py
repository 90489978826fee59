"""The host's side of the conversations, without sockets: frames in, `outbox` out."""

import errno
import pickle
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from conversation import Clock

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import custom_memory
import ledger

from services.hosting.durable_memory import DurableMemory, Room
from services.hosting.endpoints import blobs_body
from services.hosting.host import CLIENT_GONE_AFTER_S, DRY_AGAIN_AFTER_S, FORGET_AFTER_S, MemoryHost
from srl_common import messages, metrics
from srl_common.journal import Journal
from srl_common.link import new_incarnation
from srl_common.messages import (
    MAY_SEND,
    PROTOCOL,
    Ack,
    Batch,
    Beat,
    Bye,
    Call,
    Form,
    Hello,
    Pull,
    Refuse,
    Role,
    Stranger,
    View,
    Watch,
    Welcome,
)

JOB = "a" * 64
OTHER_JOB = "b" * 64
WINDOW_CALLS = 4


class House:
    """A host, and the mail that it sends."""

    def __init__(self, author, journal=None, room=None, **options):
        self.clock = Clock()
        self.author = author
        self.memory = DurableMemory(
            author, JOB, journal, WINDOW_CALLS, WINDOW_CALLS, 1 << 20, keeps_batches=True, room=room
        )
        self.memory.recover()
        self.host = MemoryHost(self.memory, JOB, self.clock, **options)
        self._mail = defaultdict(list)

    def turn(self):
        """Do what a service does once in each turn of its loop."""
        self.host.acknowledge()
        self.host.make_batches()
        while self.host.outbox:
            incarnation, frames = self.host.outbox.popleft()
            self._mail[incarnation].append(messages.decode(frames))

    def mail(self, incarnation):
        """Return what came for one client since the last time."""
        self.turn()
        return self._mail.pop(incarnation, [])


class Peer:
    """A client of the house."""

    def __init__(self, house, role, name="", epoch=0):
        self.house = house
        self.name = name or role.value
        self.incarnation = new_incarnation()
        self.hello = Hello(PROTOCOL, role.value, self.name, self.incarnation, JOB, 0, epoch, {}, {})

    def say(self, *said):
        """Say all of it in one turn of the host; return the answers."""
        for message in said:
            self.house.host.handle(self.incarnation, messages.encode(message))
        return self.house.mail(self.incarnation)

    def say_hello(self, **changes):
        self.hello = Hello(**{**vars(self.hello), **changes})
        return self.say(self.hello)

    def refusal(self, *said):
        """Say it; return the reason of the refusal that must be the only answer."""
        answers = self.say(*said)
        assert [type(answer) for answer in answers] == [Refuse]
        return answers[0].reason


def items_call(seq, *items):
    return Call(seq, "add", Form.BLOBS, len(items), blobs_body([pickle.dumps(item) for item in items]), (0, 0))


def welcomed(house, role, name="", **hello):
    peer = Peer(house, role, name)
    assert type(peer.say_hello(**hello)[0]) is Welcome
    return peer


@pytest.fixture
def house():
    return House(ledger.Memory(ledger.Config()))


@pytest.fixture
def custom():
    return House(custom_memory.Memory(custom_memory.Config()))


@pytest.fixture
def actor(house):
    return welcomed(house, Role.ACTOR, "actor-0")


# --- numbers of actors


def number_of(peer, **hello):
    welcome = peer.say_hello(**hello)[0]
    return welcome.slot, welcome.actor_num


def test_actors_are_numbered_from_the_smallest_that_is_free(house):
    peers = [Peer(house, Role.ACTOR, f"actor-{name}") for name in "abcd"]
    assert [number_of(peer) for peer in peers[:3]] == [(0, 1), (1, 2), (2, 3)]
    assert number_of(Peer(house, Role.LEARNER, "learner")) == (-1, 3)
    assert number_of(Peer(house, Role.OBSERVER, "runner")) == (-1, 3)
    peers[1].say(Bye())
    assert number_of(peers[3]) == (1, 3)


def test_an_actor_keeps_its_number_when_it_comes_back(house):
    first, second = Peer(house, Role.ACTOR, "a"), Peer(house, Role.ACTOR, "b")
    assert (number_of(first), number_of(second)) == ((0, 1), (1, 2))
    assert number_of(second) == (1, 2)
    assert number_of(Peer(house, Role.ACTOR, "b")) == (1, 2)  # a new process of the same name
    assert number_of(Peer(house, Role.ACTOR, "c")) == (2, 3)


def test_a_number_that_is_wished_for_is_given(house):
    assert number_of(Peer(house, Role.ACTOR, "a"), slot=5) == (5, 6)
    assert number_of(Peer(house, Role.ACTOR, "b")) == (0, 6)
    restarted = House(ledger.Memory(ledger.Config()))
    assert number_of(Peer(restarted, Role.ACTOR, "c")) == (0, 1)
    assert number_of(Peer(restarted, Role.ACTOR, "b"), slot=0) == (0, 1)  # it cannot change it while it plays


def test_the_number_of_an_actor_that_is_silent_for_long_is_free(house):
    assert number_of(Peer(house, Role.ACTOR, "a")) == (0, 1)
    house.clock.advance(FORGET_AFTER_S - 1)
    assert number_of(Peer(house, Role.ACTOR, "b")) == (1, 2)
    house.clock.advance(2)
    house.host.maintain()
    assert number_of(Peer(house, Role.ACTOR, "c")) == (0, 2)


# --- what clients fail with


def test_the_host_knows_what_its_clients_failed_with(house):
    failed = welcomed(house, Role.ACTOR, "a")
    welcomed(house, Role.ACTOR, "b").say(Beat({"error": ""}))
    welcomed(house, Role.ACTOR, "c").say(Beat({"error": 5}))
    assert house.host.errors() == []
    failed.say(Beat({"error": "Worker.policy failed in the a: ..."}))
    assert house.host.errors() == ["Worker.policy failed in the a: ..."]


def test_a_learner_that_lacks_batches_which_were_let_go_waits_for_the_jobs_end(house):
    learner = welcomed(house, Role.LEARNER)
    welcomed(house, Role.ACTOR).say(items_call(1, ["a", 1]))
    learner.say(Pull("sample", 1, 0))
    learner.say(Pull("sample", 2, 1))  # batch 1 is in a stored snapshot
    _, refusal = Peer(house, Role.LEARNER, "next", epoch=1).say_hello()
    assert refusal.other_job
    assert house.host.errors() == [refusal.reason]
    assert "has 0 batches of sample, but those up to 1 were released" in refusal.reason
    assert "resume the job, which then begins with an empty Memory" in refusal.reason


def test_what_a_client_that_left_did_is_seen_a_little_longer(house):
    actor = welcomed(house, Role.ACTOR, "a")
    actor.say(Beat({"env_steps": 7}))
    actor.say(Bye())
    assert house.host.view().clients == {"a": {"env_steps": 7, "role": "actor"}}
    assert house.host.living() == []
    house.clock.advance(CLIENT_GONE_AFTER_S + 1)
    assert house.host.view().clients == {}


def test_who_has_left_is_forgotten_though_nobody_looks(house):
    for number in range(100):
        welcomed(house, Role.ACTOR, f"actor-{number}").say(Bye())
        house.clock.advance(1)
        house.host.maintain()
    assert len(house.host._left) <= CLIENT_GONE_AFTER_S + 1


# --- Hello, and what is refused at it


@pytest.mark.parametrize("message", [items_call(1, ["a", 0]), Beat({}), Pull("sample", 1, 0), Watch(), Bye()])
def test_a_stranger_is_told_to_say_hello(house, message):
    assert Peer(house, Role.ACTOR).say(message) == [Stranger()]
    assert house.author.items == []
    assert house.host.metrics()["srl_strangers_total"] == 1


def test_hello_is_answered_with_what_the_host_has_and_the_credit(house):
    actor = Peer(house, Role.ACTOR)
    (welcome,) = actor.say_hello()
    assert (welcome.protocol, welcome.applied_seq, welcome.limit_seq) == (PROTOCOL, 0, WINDOW_CALLS)
    actor.say(items_call(1, ["a", 0]))
    (again,) = actor.say_hello()
    assert again == Welcome(PROTOCOL, welcome.incarnation, 1, 1 + WINDOW_CALLS, 0, 1)


def test_another_life_of_the_host_has_another_incarnation(house):
    (first,) = Peer(house, Role.ACTOR).say_hello()
    (second,) = Peer(House(house.author), Role.ACTOR).say_hello()
    assert first.incarnation != second.incarnation


@pytest.mark.parametrize("protocol", [PROTOCOL - 1, PROTOCOL + 1])
def test_another_protocol_is_refused_with_both_named(house, protocol):
    reason = Peer(house, Role.ACTOR, "actor-7").refusal(Hello(protocol, "actor", "actor-7", b"", JOB, 0, 0, {}, {}))
    assert reason.startswith(f"'actor-7' speaks protocol {protocol}, this service {PROTOCOL}: run the same version")


@pytest.mark.parametrize("role", [Role.ACTOR, Role.LEARNER])
def test_another_job_is_refused_with_both_named(house, role):
    (answer,) = Peer(house, role, "it").say_hello(job_digest=OTHER_JOB)
    assert f"'it' works for job {'b' * 12}, this service for {'a' * 12}: " in answer.reason
    assert "start all services with the same job" in answer.reason


@pytest.mark.parametrize("role", [Role.ACTOR, Role.LEARNER])
@pytest.mark.parametrize(("shard", "shards"), [(1, 2), (0, 3), (0, 1)])
def test_who_looks_for_another_shard_is_refused_with_both_named(role, shard, shards):
    house = House(ledger.Memory(ledger.Config()), shard=0, shards=2)
    (answer,) = Peer(house, role, "it").say_hello(shard=shard, shards=shards)
    assert answer.reason == (
        f"'it' looks for shard {shard} of {shards}, this service is shard 0 of 2: give all services the same "
        "SRL_MEMORY_SHARDS, and each memory service its own SRL_MEMORY_SHARD and address"
    )
    assert type(Peer(house, role).say_hello(shard=0, shards=2)[0]) is Welcome


def test_an_observer_may_come_without_the_job(house):
    assert type(Peer(house, Role.OBSERVER).say_hello(job_digest="")[0]) is Welcome


def test_an_unknown_role_is_refused_with_those_that_are_served(house):
    (answer,) = Peer(house, Role.ACTOR).say_hello(role="king")
    assert "has the role 'king', this service serves " in answer.reason
    assert all(role in answer.reason for role in Role)


def test_a_role_that_is_not_served_here_is_refused():
    house = House(ledger.Memory(ledger.Config()), serves=frozenset({Role.ACTOR}))
    (answer,) = Peer(house, Role.LEARNER).say_hello()
    assert answer.reason == "'learner' has the role 'learner', this service serves actor"


def test_the_name_of_another_incarnation_is_refused(house):
    (answer,) = Peer(house, Role.ACTOR).say_hello(incarnation=new_incarnation())
    assert answer.reason == "'actor' does not connect with the incarnation that it names"


def test_a_refused_client_stays_a_stranger(house):
    peer = Peer(house, Role.ACTOR)
    peer.say_hello(job_digest=OTHER_JOB)
    assert peer.say(items_call(1, ["a", 0])) == [Stranger()]
    assert house.host.metrics()["srl_refused_total"] == 1


# --- who may send what


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "message",
    [
        Welcome(PROTOCOL, b"", 0, 0),
        Refuse("no"),
        Stranger(),
        items_call(1, ["a", 0]),
        Ack(0, 0),
        Pull("sample", 1, 0),
        Batch("sample", 1, None),
        Beat({}),
        Watch(),
        View({}, {}),
        Bye(),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, Role) else value,
)
def test_a_role_may_send_what_the_catalogue_says_and_nothing_else(house, role, message):
    peer = welcomed(house, role)
    reasons = [answer.reason for answer in peer.say(message) if isinstance(answer, Refuse)]
    refusal = f"{role} '{role}' may not send {type(message).__name__}"
    assert (refusal in reasons) is (type(message) not in MAY_SEND[role])


@pytest.mark.parametrize(
    ("role", "endpoint", "known"),
    [
        (Role.ACTOR, "sample", "call self.register_worker_func(self.sample) in Memory.setup (registered: add, remark)"),
        (Role.ACTOR, "__init__", "(registered: add, remark)"),
        (Role.LEARNER, "add", "call self.register_trainer_send_func(self.add) in Memory.setup"),
    ],
)
def test_a_call_of_what_is_not_registered_names_what_is(custom, role, endpoint, known):
    reason = welcomed(custom, role).refusal(Call(1, endpoint, Form.CALLS, 1, [((), {})], (0, 0)))
    assert reason.startswith(f"'{endpoint}' is not registered: ")
    assert known in reason


def test_a_pull_of_what_is_not_registered_names_what_is(custom):
    reason = welcomed(custom, Role.LEARNER).refusal(Pull("add", 1, 0))
    assert "call self.register_trainer_recv_func(self.add) in Memory.setup (registered: sample, overview)" in reason


# --- garbage


@pytest.mark.parametrize("frames", [[b""], [b"\xff" * 40], [b"GET / HTTP/1.1\r\n"], [b"\x90"], [b"\x91\x63"], []])
def test_garbage_is_refused_and_others_go_on(house, actor, frames):
    stranger = new_incarnation()
    house.host.handle(stranger, frames)
    assert [type(answer) for answer in house.mail(stranger)] == [Refuse]
    assert actor.say(items_call(1, ["a", 0])) == [Ack(1, 1 + WINDOW_CALLS)]
    assert house.host.metrics()["srl_undecodable_total"] == 1


def test_a_malformed_chunk_is_refused_and_not_applied(house, actor):
    reason = actor.refusal(Call(1, "add", Form.BLOBS, 2, blobs_body([b"one"]), (0, 0)))
    assert "the lengths of a chunk do not add up" in reason
    assert house.author.items == []


def test_a_refusal_is_the_last_word(house, actor):
    other = welcomed(house, Role.ACTOR, "actor-1")
    actor.refusal(Watch())
    assert actor.say(items_call(1, ["a", 0])) == [Stranger()]
    assert house.host.living() == [house.host._clients[other.incarnation]]


# --- calls and their acknowledgements


def test_all_that_came_in_one_turn_is_acknowledged_at_once(house, actor):
    assert actor.say(*[items_call(seq, ["a", seq]) for seq in (1, 2, 3)]) == [Ack(3, 3 + WINDOW_CALLS)]
    assert [number for _, number in house.author.items] == [1, 2, 3]
    assert actor.say() == []


def test_a_duplicate_is_acknowledged_again_and_not_applied(house, actor):
    actor.say(items_call(1, ["a", 1]))
    assert actor.say(items_call(1, ["a", 1])) == [Ack(1, 1 + WINDOW_CALLS)]
    assert house.author.items == [["a", 1]]
    assert house.host.metrics()["srl_duplicate_chunks_total"] == 1


def test_a_gap_is_told_by_the_acknowledgement_and_not_applied(house, actor):
    assert actor.say(items_call(2, ["a", 2])) == [Ack(0, WINDOW_CALLS)]
    assert house.author.items == []
    assert house.host.metrics()["srl_gap_chunks_total"] == 1


def test_two_clients_are_acknowledged_apart(house, actor):
    other = welcomed(house, Role.ACTOR, "actor-1")
    house.host.handle(other.incarnation, messages.encode(items_call(1, ["b", 0])))
    assert actor.say(items_call(1, ["a", 0]), items_call(2, ["a", 1])) == [Ack(2, 2 + WINDOW_CALLS)]
    assert other.say() == [Ack(1, 1 + WINDOW_CALLS)]


def test_a_beat_is_answered_with_the_hosts_own():
    house = House(ledger.Memory(ledger.Config()), counters=lambda: {"train_count": 3})
    actor = welcomed(house, Role.ACTOR)
    actor.say(items_call(1, ["a", 0], ["a", 1]))
    (beat,) = actor.say(Beat({"env_steps": 2}))
    assert beat == Beat({"memory_length": 2, "inserted": 2, "storage_failed": False, "train_count": 3})


# --- batches


def fill(house, numbers, batch_items=64):
    """Put whole batches of items into the ledger."""
    house.author.items += [["a", number] for number in range(numbers * batch_items)]


def numbers(answers):
    return [answer.number for answer in answers if isinstance(answer, Batch)]


def test_batches_are_made_up_to_what_is_wanted_and_not_beyond(house):
    fill(house, 10)
    learner = welcomed(house, Role.LEARNER)
    assert numbers(learner.say()) == []
    assert numbers(learner.say(Pull("sample", 2, 0))) == [1, 2]
    assert numbers(learner.say(Pull("sample", 1, 0))) == []
    assert numbers(learner.say(Pull("sample", 5, 0))) == [3, 4, 5]
    assert house.author.length() == 5 * 64
    assert house.host.metrics()["srl_batches_total"] == {"sample": 5}


def test_without_a_learner_nothing_is_taken_out_of_the_memory(house, actor):
    fill(house, 2)
    actor.say(items_call(1, ["b", 0]))
    assert house.author.length() == 2 * 64 + 1


def test_a_batch_is_made_as_soon_as_something_is_inserted(house, actor):
    learner = welcomed(house, Role.LEARNER)
    assert numbers(learner.say(Pull("sample", 1, 0))) == []
    actor.say(items_call(1, ["a", 0]))
    assert numbers(learner.say()) == [1]


def test_a_recv_function_that_said_none_is_asked_again_after_a_while():
    class Late(ledger.Memory):
        asked = 0

        def sample(self):
            self.asked += 1
            return "late" if self.asked > 1 else None

    house = House(Late(ledger.Config()))
    learner = welcomed(house, Role.LEARNER)
    assert learner.say(Pull("sample", 1, 0)) == []
    assert learner.say() == []
    assert house.author.asked == 1
    house.clock.advance(DRY_AGAIN_AFTER_S)
    assert learner.say() == [Batch("sample", 1, "late")]


def test_what_a_stored_snapshot_contains_is_not_kept(house):
    fill(house, 4)
    learner = welcomed(house, Role.LEARNER)
    learner.say(Pull("sample", 4, 0))
    assert house.host.metrics()["srl_batches_outstanding"] == 4
    learner.say(Pull("sample", 4, 3))
    assert house.host.metrics()["srl_batches_outstanding"] == 1


# --- too much waits for the learner


def test_a_memory_without_room_gives_no_credit_until_there_is_room_again():
    house = House(ledger.Memory(ledger.Config()), room=Room(items=64, bytes=1 << 20, kept_bytes=1 << 20))
    actor = welcomed(house, Role.ACTOR)
    fill(house, 1)
    assert actor.say(items_call(1, ["a", 0])) == [Ack(1, WINDOW_CALLS)]
    assert house.host.metrics()["srl_memory_has_room"] == 0
    assert actor.say() == []
    welcomed(house, Role.LEARNER).say(Pull("sample", 1, 0))
    assert actor.say() == [Ack(1, 1 + WINDOW_CALLS)]
    assert house.host.metrics()["srl_memory_has_room"] == 1


def test_an_actor_that_comes_when_there_is_no_room_is_told_when_there_is():
    house = House(ledger.Memory(ledger.Config()), room=Room(items=64, bytes=1 << 20, kept_bytes=1 << 20))
    fill(house, 1)
    actor = welcomed(house, Role.ACTOR)
    house.author.items.clear()
    assert [type(answer) for answer in actor.say()] == [Ack]


def test_an_actor_that_leaves_may_deliver_what_it_has_though_there_is_no_room():
    house = House(ledger.Memory(ledger.Config()), room=Room(items=1, bytes=1 << 20, kept_bytes=1 << 20))
    leaving, staying = welcomed(house, Role.ACTOR, "leaving"), welcomed(house, Role.ACTOR, "staying")
    for actor in (leaving, staying):
        actor.say(*[items_call(seq, ["a", seq]) for seq in range(1, WINDOW_CALLS + 1)])
    assert staying.say(Beat({"leaving": False}))[1:] == []
    assert leaving.say(Beat({"leaving": True}))[1:] == [Ack(WINDOW_CALLS, 2 * WINDOW_CALLS)]
    assert leaving.say(items_call(WINDOW_CALLS + 1, ["a", 9])) == [Ack(WINDOW_CALLS + 1, 2 * WINDOW_CALLS + 1)]


def test_batches_that_wait_for_a_snapshot_are_bounded(house):
    size = len(messages.encode(Batch("sample", 1, [["a", number] for number in range(64)]))[0])
    house = House(ledger.Memory(ledger.Config()), room=Room(items=1000, bytes=1 << 20, kept_bytes=2 * size))
    fill(house, 6)
    learner = welcomed(house, Role.LEARNER)
    assert 1 <= len(numbers(learner.say(Pull("sample", 6, 0)))) <= 3
    made = house.host.metrics()["srl_batches_total"]["sample"]
    assert numbers(learner.say(Pull("sample", 6, made))) != []


# --- learners that come and go


def test_a_new_learner_with_a_higher_epoch_gets_the_kept_batches(house):
    fill(house, 4)
    first = welcomed(house, Role.LEARNER, epoch=1)
    made = first.say(Pull("sample", 3, 0))
    second = Peer(house, Role.LEARNER)
    welcome, *kept = second.say_hello(epoch=2, released={"sample": 1}, received={"sample": 1})
    assert type(welcome) is Welcome
    assert kept == made[1:]
    assert numbers(second.say(Pull("sample", 4, 1))) == [4]


def test_a_new_learner_gets_no_more_than_it_asks_for_itself(house, actor):
    welcomed(house, Role.LEARNER, epoch=1).say(Pull("sample", 9, 0))
    second = welcomed(house, Role.LEARNER, epoch=2)
    actor.say(items_call(1, ["a", 0]))
    assert second.say() == []
    assert numbers(second.say(Pull("sample", 1, 0))) == [1]


def test_an_older_epoch_is_refused_with_both_named(house):
    welcomed(house, Role.LEARNER, epoch=5)
    (answer,) = Peer(house, Role.LEARNER, "late").say_hello(epoch=4)
    assert answer.reason == "'late' has epoch 4, but a learner with epoch 5 took over"


def test_a_learner_that_another_took_over_from_changes_nothing_more(custom):
    first = welcomed(custom, Role.LEARNER, "first", epoch=1)
    welcomed(custom, Role.LEARNER, "second", epoch=2)
    update = Call(1, "forget", Form.CALLS, 1, [((1,), {})], (1, 0))
    assert first.refusal(update) == "'first' is replaced: a learner with epoch 2 took over"
    assert first.say(Pull("sample", 3, 0)) == [Stranger()]
    assert custom.author.notes == set()
    (answer,) = first.say_hello()
    assert answer.reason == "'first' has epoch 1, but a learner with epoch 2 took over"


def test_the_same_learner_may_say_hello_again(house):
    fill(house, 3)
    learner = welcomed(house, Role.LEARNER, epoch=1)
    learner.say(Pull("sample", 2, 0))
    _, *lost = learner.say_hello(received={"sample": 1})
    assert numbers(lost) == [2]
    assert numbers(learner.say(Pull("sample", 3, 0))) == [3]


def test_bye_forgets_a_client(house, actor):
    actor.say(items_call(1, ["a", 0]))
    assert actor.say(Bye()) == []
    assert house.host.living() == []
    assert actor.say(Beat({})) == [Stranger()]
    (welcome,) = actor.say_hello()
    assert welcome.applied_seq == 0


def test_after_the_learners_bye_nothing_is_taken_out_of_the_memory(house, actor):
    learner = welcomed(house, Role.LEARNER)
    learner.say(Pull("sample", 5, 0))
    learner.say(Bye())
    actor.say(items_call(1, ["a", 0]))
    assert house.author.items == [["a", 0]]


# --- what is known


def names(clients):
    return {client.name for client in clients}


def test_the_living_are_those_heard_of_lately_without_observers(house, actor):
    watcher = welcomed(house, Role.OBSERVER)
    welcomed(house, Role.LEARNER)
    assert names(house.host.living()) == {"actor-0", "learner"}
    house.clock.advance(CLIENT_GONE_AFTER_S)
    actor.say(Beat({}))
    watcher.say(Beat({}))
    house.clock.advance(0.1)
    assert names(house.host.living()) == {"actor-0"}


def test_the_silent_are_forgotten_but_what_they_sent_is_not(house, actor):
    actor.say(items_call(1, ["a", 0]))
    house.clock.advance(FORGET_AFTER_S)
    house.host.maintain()
    assert actor.say(Beat({})) != [Stranger()]
    house.clock.advance(FORGET_AFTER_S + 0.1)
    house.host.maintain()
    assert actor.say(items_call(1, ["a", 0])) == [Stranger()]
    (welcome,) = actor.say_hello()
    assert welcome.applied_seq == 1


def test_nothing_is_sent_to_the_forgotten():
    house = House(ledger.Memory(ledger.Config()), room=Room(items=1, bytes=1 << 20, kept_bytes=1 << 20))
    learner, silent = welcomed(house, Role.LEARNER), welcomed(house, Role.ACTOR)
    silent.say(items_call(1, ["a", 0]))
    learner.say(Pull("sample", 1, 0), Pull("sample", 9, 0))
    house.clock.advance(FORGET_AFTER_S + 0.1)
    house.host.maintain()
    assert not house.host.knows(learner.incarnation)
    house.author.items.clear()
    welcomed(house, Role.ACTOR, "loud").say(items_call(1, ["b", 0]))
    assert learner.say() == silent.say() == []
    assert house.author.items == [["b", 0]]


def test_a_view_shows_the_host_and_the_counters_of_the_living(house, actor):
    actor.say(items_call(1, ["a", 0]), Beat({"env_steps": 9}))
    watcher = welcomed(house, Role.OBSERVER)
    (view,) = watcher.say(Watch())
    assert view == View(
        {"memory_length": 1, "inserted": 1, "storage_failed": False}, {"actor-0": {"role": "actor", "env_steps": 9}}
    )


def test_every_metric_of_the_host_is_defined_and_can_be_shown(custom):
    welcomed(custom, Role.ACTOR).say(Call(1, "remark", Form.CALLS, 1, [((), {})], (0, 0)))
    welcomed(custom, Role.LEARNER).say(Call(1, "forget", Form.CALLS, 1, [((), {})], (0, 0)))
    values = custom.host.metrics()
    definitions = {definition.name: definition for definition in metrics.HOST}
    assert values.keys() <= definitions.keys()
    without_journal = {name for name in definitions if name.startswith("srl_journal_")} - {"srl_journal_failures_total"}
    assert definitions.keys() - values.keys() == {"srl_insecure_bind", "srl_host_seconds_total"} | without_journal
    labelled = {name for name, value in values.items() if isinstance(value, dict)}
    assert labelled == {name for name, each in definitions.items() if each.label and name in values}
    text = metrics.exposition(metrics.make_registry(metrics.HOST, custom.host.metrics)).decode()
    for line in (
        'srl_clients{role="actor"} 1.0',
        'srl_inserted_items_total{endpoint="remark"} 1.0',
        'srl_updates_total{endpoint="forget"} 1.0',
        "srl_applied_chunks_total 2.0",
    ):
        assert line in text


# --- a disk that refuses


class Disk(Journal):
    """A journal on a disk that may be full."""

    full = False

    def _write(self, record):
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super()._write(record)


@pytest.fixture
def disk(tmp_path):
    with Disk(tmp_path / "journal") as disk:
        yield disk


def test_what_the_disk_refuses_is_not_acknowledged_and_applied_when_it_comes_again(disk, caplog):
    house = House(ledger.Memory(ledger.Config()), disk)
    actor = welcomed(house, Role.ACTOR)
    disk.full = True
    assert actor.say(items_call(1, ["a", 0])) == []
    assert actor.say(items_call(2, ["a", 1])) == [Ack(0, WINDOW_CALLS)], "a gap: nothing new is acknowledged"
    assert actor.say(items_call(1, ["a", 0])) == []
    assert house.author.items == []
    assert actor.say(Beat({}))[0].counters["storage_failed"] is True
    assert house.host.metrics()["srl_journal_failures_total"] == 2
    disk.full = False
    assert actor.say(items_call(1, ["a", 0])) == [Ack(1, 1 + WINDOW_CALLS)]
    assert house.author.items == [["a", 0]]
    assert actor.say(Beat({}))[0].counters["storage_failed"] is False
    assert [record.levelname for record in caplog.records] == ["ERROR"], "said once, not at every call"
    assert "No space left on device; free space there, or point SRL_JOURNAL_DIR elsewhere" in caplog.text


def test_a_batch_that_the_disk_refuses_is_made_when_it_is_mended(disk):
    house = House(ledger.Memory(ledger.Config()), disk)
    fill(house, 2)
    first, second = house.author.items[:64], house.author.items[64:]
    learner = welcomed(house, Role.LEARNER)
    disk.full = True
    assert learner.say(Pull("sample", 2, 0)) == []
    disk.full = False
    house.clock.advance(DRY_AGAIN_AFTER_S)
    assert learner.say() == [Batch("sample", 1, first), Batch("sample", 2, second)]


def test_an_actor_whose_acknowledged_calls_are_missing_in_the_journal_is_refused(disk):
    house = House(ledger.Memory(ledger.Config()), disk)
    (answer,) = Peer(house, Role.ACTOR).say_hello(acked_seq=7)
    assert "call 7 was acknowledged, but the journal ends with call 0" in answer.reason


def test_without_a_journal_an_actor_whose_acknowledged_calls_are_missing_goes_on(house, caplog):
    actor = Peer(house, Role.ACTOR)
    (welcome,) = actor.say_hello(acked_seq=7)
    assert welcome.applied_seq == 7
    assert "without a journal, what calls 1 to 7 brought may be lost" in caplog.text
    assert actor.say(items_call(8, ["a", 8])) == [Ack(8, 8 + WINDOW_CALLS)]


def test_maintenance_forces_the_journal_to_disk(disk, monkeypatch):
    house = House(ledger.Memory(ledger.Config()), disk)
    forced = []
    monkeypatch.setattr("os.fdatasync", forced.append)
    welcomed(house, Role.ACTOR).say(items_call(1, ["a", 0]))
    house.host.maintain()
    assert len(forced) == 1
