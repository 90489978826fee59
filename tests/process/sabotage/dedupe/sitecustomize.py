"""Deduplication off: the host believes the client about what was applied, and applies again what comes again."""

from services.hosting.durable_memory import DurableMemory
from srl_common.delivery import Receiver, Verdict


def take_up(self, role, incarnation, acked_seq):
    self._dedupe[role].receiver(incarnation)._applied_seq = acked_seq


def judge(self, seq):
    return Verdict.APPLY if seq <= self._applied_seq + 1 else Verdict.GAP


def applied(self, seq):
    self._applied_seq = max(seq, self._applied_seq)


DurableMemory.take_up, Receiver.judge, Receiver.applied = take_up, judge, applied
