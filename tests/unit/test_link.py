"""The client's side of a conversation: Hello until Welcome, calls until their acknowledgement, signs of life."""

import pytest
from conversation import Clock, MessageClient

from srl_common.errors import DecodeError, EncodeError, ForgottenError, PeerError, RefusedError, UndeliveredError
from srl_common.link import (
    BEAT_INTERVAL_S,
    HELLO_AGAIN_AFTER_S,
    INCARNATION_BYTES,
    REFUSED_AGAIN_AFTER_S,
    RESEND_AFTER_S,
    SILENT_AFTER_S,
    Link,
    new_incarnation,
)
from srl_common.messages import (
    PROTOCOL,
    Ack,
    Batch,
    Beat,
    Bye,
    Call,
    Form,
    Hello,
    Refuse,
    Role,
    Stranger,
    View,
    Welcome,
)

ME = new_incarnation()
HOST = b"host"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client(clock):
    return MessageClient(clock)


@pytest.fixture
def link(client, clock):
    return Link(client, Role.ACTOR, "actor-0", ME, "job", clock, lambda: {"env_steps": 7})


@pytest.fixture
def welcomed(link, client):
    """A link that has been welcomed with a credit of three calls."""
    client.arrive(Welcome(PROTOCOL, HOST, 0, 3))
    link.poll()
    client.take_sent()
    return link


def call(link, number=1):
    link.call("add", Form.CALLS, 1, [((number,), {})])


def seqs(sent):
    return [message.seq for message in sent if isinstance(message, Call)]


def test_an_incarnation_is_random_and_usable_as_a_routing_id():
    first, second = new_incarnation(), new_incarnation()
    assert len(first) == INCARNATION_BYTES
    assert first != second
    assert first[0] != 0


# --- Hello


def test_it_says_hello_again_and_again_until_it_is_welcomed(link, client, clock):
    link.poll()
    hello = Hello(PROTOCOL, "actor", "actor-0", ME, "job", 0, 0, {}, {})
    assert client.take_sent(Hello) == [hello]
    link.poll()
    assert client.take_sent(Hello) == []
    clock.advance(HELLO_AGAIN_AFTER_S)
    link.poll()
    assert client.take_sent(Hello) == [hello]
    assert not link.welcomed
    client.arrive(Welcome(PROTOCOL, HOST, 0, 3))
    link.poll()
    assert (link.welcomed, link.credit) == (True, 3)
    clock.advance(10 * HELLO_AGAIN_AFTER_S)
    link.poll()
    assert Hello not in {type(message) for message in client.take_sent()[1:]}


def test_hello_says_what_was_acknowledged_the_epoch_and_the_positions(client, clock):
    positions = ({"sample": 3}, {"sample": 5})
    link = Link(client, Role.LEARNER, "learner", ME, "job", clock, dict, epoch=4, positions=lambda: positions)
    client.arrive(Welcome(PROTOCOL, HOST, 0, 3))
    link.poll()
    call(link)
    client.arrive(Ack(1, 4), Stranger())
    link.poll()
    assert client.take_sent(Hello)[-1] == Hello(PROTOCOL, "learner", "learner", ME, "job", 1, 4, *positions)


def test_a_stranger_says_hello_again_at_once_and_once(welcomed, client):
    client.arrive(Stranger(), Stranger(), Stranger())
    welcomed.poll()
    assert not welcomed.welcomed
    assert len(client.take_sent(Hello)) == 1
    client.arrive(Stranger())
    welcomed.poll()
    assert client.take_sent(Hello) == []


def test_the_owner_may_begin_anew(welcomed, client):
    welcomed.say_hello_again()
    welcomed.poll()
    assert len(client.take_sent(Hello)) == 1


def test_a_refusal_is_raised_with_its_reason(link, client):
    client.arrive(Refuse("another job"))
    with pytest.raises(RefusedError, match="another job"):
        link.poll()


@pytest.fixture
def patient(client, clock):
    return Link(client, Role.ACTOR, "actor-0", ME, "job", clock, dict, waits_for_job=True)


def test_a_host_of_another_job_is_asked_again_where_jobs_follow_each_other(patient, client, clock):
    patient.poll()
    client.take_sent()
    client.arrive(Refuse("'actor-0' works for job a, this service for b", other_job=True))
    patient.poll()
    assert (patient.refused, patient.welcomed, client.take_sent(Hello)) == (True, False, [])
    clock.advance(REFUSED_AGAIN_AFTER_S)
    patient.poll()
    assert len(client.take_sent(Hello)) == 1
    client.arrive(Welcome(PROTOCOL, HOST, 0, 3))
    patient.poll()
    assert (patient.refused, patient.welcomed) == (False, True)


def test_other_refusals_are_raised_there_too_and_another_job_elsewhere(patient, link, client):
    client.arrive(Refuse("another protocol"))
    with pytest.raises(RefusedError, match="another protocol"):
        patient.poll()
    client.arrive(Refuse("another job", other_job=True))
    with pytest.raises(RefusedError, match="another job"):
        link.poll()


def test_an_actor_keeps_the_number_that_the_host_gave_it(link, client):
    link.poll()
    assert client.take_sent(Hello)[0].slot == -1
    client.arrive(Welcome(PROTOCOL, HOST, 0, 3, 2, 5))
    link.poll()
    assert (link.slot, link.actor_num) == (2, 5)
    link.say_hello_again()
    link.poll()
    assert client.take_sent(Hello)[0].slot == 2


def test_another_incarnation_of_the_host_is_a_restart(welcomed, client):
    for incarnation in (HOST, b"next", b"next"):
        client.arrive(Stranger(), Welcome(PROTOCOL, incarnation, 0, 3))
        welcomed.poll()
    assert welcomed.host_restarts == 1


# --- calls


def test_a_call_carries_what_it_was_given_and_counts_from_one(welcomed, client):
    welcomed.call("add", Form.BLOBS, 2, [b"x"], (3, 9))
    call(welcomed)
    assert client.take_sent() == [
        Call(1, "add", Form.BLOBS, 2, [b"x"], (3, 9)),
        Call(2, "add", Form.CALLS, 1, [((1,), {})], (0, 0)),
    ]
    assert (welcomed.credit, welcomed.unacked) == (1, 2)


def test_an_acknowledgement_lets_calls_go_and_gives_credit(welcomed, client):
    call(welcomed)
    call(welcomed)
    client.arrive(Ack(1, 6))
    welcomed.poll()
    assert (welcomed.credit, welcomed.unacked) == (4, 1)


def test_a_value_that_cannot_travel_leaves_all_as_it_was(welcomed, client):
    with pytest.raises(EncodeError):
        welcomed.call("add", Form.CALLS, 1, [(({1, 2},), {})])
    call(welcomed)
    assert seqs(client.take_sent()) == [1]


def test_what_is_unanswered_is_sent_again_in_order_after_a_while(welcomed, client, clock):
    call(welcomed)
    clock.advance(RESEND_AFTER_S / 2)
    call(welcomed)
    client.take_sent()
    clock.advance(RESEND_AFTER_S / 2 - 0.01)
    welcomed.poll()
    assert seqs(client.take_sent()) == []
    clock.advance(0.01)
    welcomed.poll()
    assert seqs(client.take_sent()) == [1, 2]
    assert welcomed.resent == 2
    client.arrive(Ack(2, 5))
    clock.advance(RESEND_AFTER_S)
    welcomed.poll()
    assert seqs(client.take_sent()) == []


def test_nothing_is_sent_again_before_the_next_welcome_and_then_what_is_missing(welcomed, client, clock):
    call(welcomed)
    call(welcomed)
    client.take_sent()
    client.arrive(Stranger())
    clock.advance(RESEND_AFTER_S)
    welcomed.poll()
    assert [type(message) for message in client.take_sent()] == [Hello]
    client.arrive(Welcome(PROTOCOL, b"next", 1, 4))
    welcomed.poll()
    assert seqs(client.take_sent()) == [2]


def test_a_host_that_forgot_acknowledged_calls_is_an_error(welcomed, client):
    call(welcomed)
    client.arrive(Ack(1, 4), Welcome(PROTOCOL, b"next", 0, 3))
    with pytest.raises(ForgottenError, match="acknowledged 1 calls and has now 0"):
        welcomed.poll()


def test_an_acknowledgement_of_what_was_never_sent_is_an_error(welcomed, client):
    client.arrive(Ack(1, 4))
    with pytest.raises(PeerError, match="impossible acknowledgement of call 1"):
        welcomed.poll()


def test_bytes_that_are_no_message_are_an_error(welcomed, client):
    client._inbox.append([b"\xff"])
    with pytest.raises(DecodeError):
        welcomed.poll()


# --- waiting for credit


def test_with_credit_there_is_no_waiting(welcomed, client):
    client.host = lambda: pytest.fail("it listened")
    welcomed.wait_for_credit(lambda: True)
    assert welcomed.credit_wait_s == 0.0


def test_a_call_waits_until_there_is_credit_and_knows_how_long(welcomed, client, clock):
    for number in range(3):
        call(welcomed, number)
    seen = []

    def host():
        seen.append(welcomed.credit_wait_s)
        if len(seen) == 4:
            client.arrive(Ack(3, 6))

    client.host = host
    began_s = clock()
    welcomed.wait_for_credit(lambda: False)
    assert welcomed.credit_wait_s == pytest.approx(clock() - began_s)
    assert 0.0 == seen[0] < seen[1] < seen[2] < seen[3], "a scrape sees it grow"
    assert welcomed.credit == 3


def test_what_comes_for_the_owner_meanwhile_is_kept(welcomed, client):
    for number in range(3):
        call(welcomed, number)
    client.arrive(Batch("sample", 1, "kept"))
    client.host = lambda: client.arrive(Ack(3, 6))
    welcomed.wait_for_credit(lambda: False)
    client.arrive(Batch("sample", 2, "next"))
    assert [batch.value for batch in welcomed.poll()] == ["kept", "next"]
    assert welcomed.poll() == []


def test_waiting_is_given_up_when_the_owner_says_so(welcomed, clock):
    for number in range(3):
        call(welcomed, number)
    end_s = clock() + 2.0
    with pytest.raises(UndeliveredError, match="actor-0: the Memory's host took no more calls until the drain was"):
        welcomed.wait_for_credit(lambda: clock() >= end_s)
    assert welcomed.unacked == 3


# --- signs of life


def test_it_beats_with_its_counters_from_its_welcome_on(link, client, clock):
    link.poll()
    assert client.take_sent(Beat) == []
    client.arrive(Welcome(PROTOCOL, HOST, 0, 3))
    link.poll()
    assert client.take_sent(Beat) == [Beat({"env_steps": 7})]
    clock.advance(BEAT_INTERVAL_S - 0.01)
    link.poll()
    assert client.take_sent(Beat) == []
    clock.advance(0.01)
    link.poll()
    assert client.take_sent(Beat) == [Beat({"env_steps": 7})]


def test_the_hosts_beat_is_kept_and_all_else_is_the_owners(welcomed, client, clock):
    view = View({"memory_length": 3}, {})
    client.arrive(Beat({"memory_length": 2}), Batch("sample", 1, None), view)
    clock.advance(5.0)
    assert welcomed.poll() == [Batch("sample", 1, None), view]
    assert welcomed.host_counters == {"memory_length": 2}


def test_a_host_that_does_not_answer_is_silent_and_both_are_said_once(welcomed, client, clock, caplog):
    caplog.set_level("INFO")
    clock.advance(SILENT_AFTER_S)
    welcomed.poll()
    assert not welcomed.silent
    for _ in range(3):
        clock.advance(BEAT_INTERVAL_S)
        welcomed.poll()
        assert welcomed.silent
    client.arrive(Beat({}))
    welcomed.poll()
    assert not welcomed.silent
    assert [record.getMessage() for record in caplog.records] == [
        "the Memory's host at inproc://host does not answer; waiting for it",
        "the Memory's host at inproc://host answers again",
    ]


def test_a_host_that_was_never_there_is_silent_too(link, client, clock):
    for _ in range(30):
        link.poll()
        clock.advance(BEAT_INTERVAL_S)
    assert client.take_sent(Hello)
    assert link.silent


def test_a_host_that_was_not_asked_is_not_silent(welcomed, client, clock):
    """As after a train() that has taken its time."""
    client.arrive(Beat({}))
    welcomed.poll()
    clock.advance(10 * SILENT_AFTER_S)
    welcomed.poll()
    assert not welcomed.silent


def test_bye_and_the_end_of_the_connection(welcomed, client):
    welcomed.say_bye()
    assert client.take_sent() == [Bye()]
    welcomed.close()
    assert client.closed
