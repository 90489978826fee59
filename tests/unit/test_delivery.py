"""Sender, Receiver and DedupeTable, call by call."""

from __future__ import annotations

import pytest

from srl_common import codec, delivery
from srl_common.delivery import DedupeTable, Receiver, Sender, Verdict
from srl_common.errors import CorruptError, CreditExhausted, ForgottenError, InternalError, PeerError


@pytest.fixture
def sender():
    made = Sender(resend_after_s=1.0)
    assert made.on_welcome(0, 4, now_s=0.0) == []
    return made


def test_there_is_no_credit_before_the_welcome():
    sender = Sender(1.0)
    assert sender.credit == 0
    with pytest.raises(CreditExhausted, match="call 1 was pushed, but only 0"):
        sender.push("a", 0.0)
    assert sender.next_seq == 1


def test_calls_are_numbered_from_one_until_the_credit_is_used(sender):
    assert [sender.push(each, 0.0) for each in "abcd"] == [1, 2, 3, 4]
    assert (sender.credit, sender.unacked, sender.next_seq) == (0, 4, 5)
    with pytest.raises(CreditExhausted):
        sender.push("e", 0.0)


def test_an_ack_is_cumulative_and_carries_credit(sender):
    for each in "abcd":
        sender.push(each, 0.0)
    sender.on_ack(3, 7)
    assert (sender.unacked, sender.credit) == (1, 3)


def test_an_old_ack_changes_nothing(sender):
    for each in "abcd":
        sender.push(each, 0.0)
    sender.on_ack(3, 7)
    sender.on_ack(1, 5)
    assert (sender.unacked, sender.credit) == (1, 3)


@pytest.mark.parametrize(("applied_seq", "limit_seq"), [(2, 9), (-1, 4), (1, 0)])
def test_an_impossible_ack_is_the_peers_fault(sender, applied_seq, limit_seq):
    sender.push("a", 0.0)
    with pytest.raises(PeerError, match=r"impossible acknowledgement.* 1 were sent"):
        sender.on_ack(applied_seq, limit_seq)
    assert sender.unacked == 1


def test_all_unanswered_calls_are_due_in_order_when_the_oldest_is_old(sender):
    for number, each in enumerate("abc"):
        sender.push(each, now_s=number * 0.4)
    assert sender.due(0.99) == []
    assert sender.due(1.0) == [(1, "a"), (2, "b"), (3, "c")]
    assert sender.due(1.99) == []
    sender.on_ack(2, 6)
    assert sender.due(2.0) == [(3, "c")]
    assert sender.resent_calls == 4


def test_nothing_is_due_when_nothing_waits(sender):
    assert sender.due(1e9) == []


def test_a_welcome_says_what_to_send_again(sender):
    for each in "abc":
        sender.push(each, 0.0)
    assert sender.on_welcome(1, 5, now_s=3.0) == [(2, "b"), (3, "c")]
    assert (sender.credit, sender.resent_calls) == (2, 2)
    assert sender.due(3.9) == []


def test_a_receiver_that_forgot_acknowledged_calls_is_named(sender):
    sender.push("a", 0.0)
    sender.on_ack(1, 5)
    with pytest.raises(ForgottenError, match="acknowledged 1 calls and has now 0"):
        sender.on_welcome(0, 4, 1.0)


def test_a_receiver_applies_the_next_call_only():
    receiver = Receiver(window_calls=4)
    assert receiver.judge(2) is Verdict.GAP
    assert receiver.judge(1) is Verdict.APPLY
    receiver.applied(1)
    assert receiver.judge(1) is Verdict.DUPLICATE
    assert receiver.judge(-5) is Verdict.DUPLICATE
    assert receiver.judge(2) is Verdict.APPLY


def test_judging_changes_nothing():
    receiver = Receiver(4)
    assert [receiver.judge(1), receiver.judge(1)] == [Verdict.APPLY, Verdict.APPLY]
    assert receiver.ack() == (0, 4)


def test_a_call_without_credit_is_not_applied():
    receiver = Receiver(2)
    for seq in (1, 2):
        receiver.applied(seq)
    assert receiver.judge(3) is Verdict.GAP
    assert receiver.ack() == (2, 4)
    assert receiver.judge(3) is Verdict.APPLY


def test_a_host_that_is_not_open_adds_no_credit():
    receiver = Receiver(2)
    receiver.applied(1)
    assert receiver.ack(open=False) == (1, 2)
    receiver.applied(2)
    assert receiver.ack(open=False) == (2, 2)
    assert receiver.ack() == (2, 4)
    assert receiver.ack(open=False) == (2, 4)


@pytest.mark.parametrize("seq", [0, 2])
def test_applying_another_call_than_the_next_is_a_bug_of_ours(seq):
    with pytest.raises(InternalError, match=f"call {seq} was applied after call 0"):
        Receiver(4).applied(seq)


def test_a_receiver_goes_on_where_it_was():
    receiver = Receiver(4, applied_seq=7)
    assert receiver.judge(7) is Verdict.DUPLICATE
    assert receiver.judge(8) is Verdict.APPLY
    assert receiver.ack() == (7, 11)


def test_the_table_keeps_incarnations_apart_until_they_leave():
    table = DedupeTable(4)
    table.receiver(b"one").applied(1)
    assert table.receiver(b"one").judge(1) is Verdict.DUPLICATE
    assert table.receiver(b"two").judge(1) is Verdict.APPLY
    assert len(table) == 2
    table.forget(b"one")
    table.forget(b"never seen")
    assert table.receiver(b"one").judge(1) is Verdict.APPLY


def test_the_table_forgets_who_was_silent_longest_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(delivery, "INCARNATIONS_MAX", 3)
    table = DedupeTable(4)
    for incarnation in (b"one", b"two", b"three", b"one", b"four"):
        table.receiver(incarnation)
    assert list(table.to_data()) == [b"three", b"one", b"four"]
    again = DedupeTable.from_data(4, table.to_data())
    again.receiver(b"five")
    assert list(again.to_data()) == [b"one", b"four", b"five"]


def test_the_table_survives_as_plain_data():
    table = DedupeTable(4)
    for seq in (1, 2, 3):
        table.receiver(b"one").applied(seq)
    table.receiver(b"two")
    data = codec.unpack(codec.pack(table.to_data()))
    again = DedupeTable.from_data(4, data)
    assert again.to_data() == table.to_data() == {b"one": 3, b"two": 0}
    assert again.receiver(b"one").judge(4) is Verdict.APPLY


def test_loading_replaces_what_the_table_knew():
    table = DedupeTable(4)
    table.receiver(b"old")
    table.load_data({b"new": 2})
    assert table.to_data() == {b"new": 2}


@pytest.mark.parametrize("data", [{"text": 1}, {b"one": "1"}, {b"one": -1}, {b"one": True}])
def test_a_damaged_table_is_refused(data):
    with pytest.raises(CorruptError, match="a dedupe table has the entry"):
        DedupeTable.from_data(4, data)
