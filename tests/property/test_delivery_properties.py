"""A network that drops, doubles and reorders, hosts and clients that die: what is acknowledged stays, once.

The negative controls run the same machine with one protection taken away: it must then find a violation.
"""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from srl_common.delivery import DedupeTable, Receiver, Sender, Verdict
from srl_common.errors import ClusterError

WINDOW_CALLS = 4
RESEND_AFTER_S = 1.0
PICK = st.integers(0, 1 << 30)


class Host:
    """Applies calls after writing them to a journal, which is all that is left when it dies."""

    receiver_class = Receiver
    keeps_journal = True

    def __init__(self):
        self.journal = []
        self.checkpoint_data = {}
        self.checkpoint_length = 0
        self.restart()

    def restart(self):
        if not self.keeps_journal:
            self.journal, self.checkpoint_length = [], 0
        self.table = DedupeTable.from_data(WINDOW_CALLS, self.checkpoint_data)
        for incarnation, seq, _ in self.journal[self.checkpoint_length :]:
            self.receiver(incarnation).applied(seq)

    def receiver(self, incarnation):
        receiver = self.table.receiver(incarnation)
        receiver.__class__ = self.receiver_class
        return receiver

    def checkpoint(self):
        if self.keeps_journal:
            self.checkpoint_data, self.checkpoint_length = self.table.to_data(), len(self.journal)

    def take(self, incarnation, seq, payload, *, dies_before_ack=False):
        receiver = self.receiver(incarnation)
        if receiver.judge(seq) is Verdict.APPLY:
            self.journal.append((incarnation, seq, payload))
            if dies_before_ack:
                self.restart()
                return
            receiver.applied(seq)

    def applied(self, incarnation):
        return [payload for name, _, payload in self.journal if name == incarnation]


class Network(RuleBasedStateMachine):
    host_class = Host
    sender_class = Sender

    def __init__(self):
        super().__init__()
        self.now_s = 0.0
        self.lives = 0
        self.host = self.host_class()
        self.open = True
        self.calls, self.acks = [], []
        self.start_client()

    # --- the client

    @rule()
    def start_client(self):
        self.lives += 1
        self.incarnation = b"%d" % self.lives
        self.sender = self.sender_class(RESEND_AFTER_S)
        self.pushed, self.acked_seq = [], 0
        self.connect()

    @rule()
    def connect(self):
        applied_seq, limit_seq = self.host.receiver(self.incarnation).ack(self.open)
        self.send(self.sender.on_welcome(applied_seq, limit_seq, self.now_s))
        self.acked_seq = max(self.acked_seq, applied_seq)

    def send(self, calls):
        self.calls += [(self.incarnation, seq, payload) for seq, payload in calls]

    @precondition(lambda self: self.sender.credit)
    @rule()
    def push(self):
        payload = f"{self.lives}.{len(self.pushed) + 1}"
        seq = self.sender.push(payload, self.now_s)
        self.pushed.append(payload)
        self.send([(seq, payload)])

    @rule(seconds=st.floats(0, 3))
    def wait(self, seconds):
        self.now_s += seconds
        self.send(self.sender.due(self.now_s))

    # --- the network

    @precondition(lambda self: self.calls)
    @rule(pick=PICK, keep=st.booleans(), dies=st.booleans())
    def deliver_call(self, pick, keep, dies):
        incarnation, seq, payload = self.take(self.calls, pick, keep)
        self.host.take(incarnation, seq, payload, dies_before_ack=dies)
        if dies:
            self.connect()
        else:
            self.acks.append((incarnation, self.host.receiver(incarnation).ack(self.open)))

    @precondition(lambda self: self.acks)
    @rule(pick=PICK, keep=st.booleans())
    def deliver_ack(self, pick, keep):
        incarnation, (applied_seq, limit_seq) = self.take(self.acks, pick, keep)
        if incarnation == self.incarnation:
            self.sender.on_ack(applied_seq, limit_seq)
            self.acked_seq = max(self.acked_seq, applied_seq)

    @staticmethod
    def take(messages, pick, keep):
        place = pick % len(messages)
        return messages[place] if keep else messages.pop(place)

    @rule(calls=st.booleans(), acks=st.booleans())
    def lose(self, calls, acks):
        if calls:
            self.calls.clear()
        if acks:
            self.acks.clear()

    # --- the host

    @rule()
    def kill_host(self):
        self.host.restart()
        self.connect()

    @rule()
    def checkpoint(self):
        self.host.checkpoint()

    @rule(is_open=st.booleans())
    def withhold_credit(self, is_open):
        self.open = is_open

    # --- what must hold

    @invariant()
    def every_incarnation_is_applied_once_and_in_order(self):
        for life in range(1, self.lives + 1):
            applied = self.host.applied(b"%d" % life)
            assert applied == [f"{life}.{number}" for number in range(1, len(applied) + 1)]

    @invariant()
    def what_is_acknowledged_is_applied(self):
        assert len(self.host.applied(self.incarnation)) >= self.acked_seq

    @invariant()
    def no_more_than_a_window_is_under_way(self):
        assert self.sender.unacked <= WINDOW_CALLS
        assert len(self.pushed) <= len(self.host.applied(self.incarnation)) + WINDOW_CALLS

    def teardown(self):
        """With the faults over, everything that the living client pushed arrives."""
        self.open = True
        self.calls.clear()
        self.connect()
        while self.calls:
            self.deliver_call(0, keep=False, dies=False)
        while self.acks:
            self.deliver_ack(0, keep=False)
        assert self.host.applied(self.incarnation) == self.pushed
        assert self.sender.unacked == 0


TestDelivery = Network.TestCase
TestDelivery.settings = settings(deadline=None, max_examples=100, stateful_step_count=40)


class ForgetfulReceiver(Receiver):
    """Dedupe off: takes whatever is next or old."""

    def judge(self, seq):
        return Verdict.APPLY if seq <= self._applied_seq + 1 else Verdict.GAP

    def applied(self, seq):
        self._applied_seq = max(self._applied_seq, seq)


class HastyReceiver(Receiver):
    """Order off: takes whatever is new."""

    def judge(self, seq):
        return Verdict.APPLY if seq > self._applied_seq else Verdict.DUPLICATE

    def applied(self, seq):
        self._applied_seq = seq


class HostWithoutDedupe(Host):
    receiver_class = ForgetfulReceiver


class HostWithoutOrder(Host):
    receiver_class = HastyReceiver


class HostWithoutJournal(Host):
    keeps_journal = False


class FireAndForget(Sender):
    """Acks off: what is sent is forgotten."""

    def push(self, payload, now_s):
        seq = super().push(payload, now_s)
        self._unacked.clear()
        return seq


class Spender(Sender):
    """Credit off."""

    credit = 1_000


@pytest.mark.parametrize(
    "broken",
    [
        {"host_class": HostWithoutDedupe},
        {"host_class": HostWithoutOrder},
        {"host_class": HostWithoutJournal},
        {"sender_class": FireAndForget},
        {"sender_class": Spender},
    ],
    ids=lambda broken: next(iter(broken.values())).__name__,
)
def test_negative_control(broken):
    machine = type("BrokenNetwork", (Network,), broken)
    quick = settings(
        deadline=None,
        max_examples=300,
        stateful_step_count=40,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
    )
    with pytest.raises((AssertionError, ClusterError, ExceptionGroup)):
        run_state_machine_as_test(machine, settings=quick)
