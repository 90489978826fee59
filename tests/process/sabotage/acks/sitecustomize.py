"""Acknowledgements off: a call is forgotten once sent, whatever comes is applied, nothing waits for credit."""

from srl_common.delivery import Receiver, Sender, Verdict

_push = Sender.push


def push(self, payload, now_s):
    seq = _push(self, payload, now_s)
    self._unacked.clear()
    return seq


def judge(self, seq):
    return Verdict.APPLY


def applied(self, seq):
    self._applied_seq = max(seq, self._applied_seq)


Sender.push, Receiver.judge, Receiver.applied = push, judge, applied
Sender.credit = property(lambda self: int(self._limit_seq > 0))
