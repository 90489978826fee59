"""Waits grow to a bound, differ from one another, and begin anew after a success."""

from srl_common.backoff import Backoff


def test_waits_grow_to_a_bound():
    backoff = Backoff(1.0, 5.0)
    for bound_s in (1.0, 2.0, 4.0, 5.0, 5.0):
        assert bound_s / 2 <= backoff.next_s() <= bound_s


def test_it_begins_anew():
    backoff = Backoff(1.0, 5.0)
    for _ in range(5):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 1.0


def test_waits_differ():
    assert len({Backoff(1.0, 5.0).next_s() for _ in range(20)}) == 20
