"""A memory that is restored draws what the one that was backed up draws next."""

import random

import numpy as np
import pytest
from test_replay_memories import MODES, priority, uniform


def drawn(memory):
    """Draw with an update of priorities after each, and return all that came."""
    found = []
    for step in range(20):
        batch = memory.sample()
        if isinstance(batch, tuple):
            batch, weights, args = batch
            memory.update(args, np.array(list(batch), dtype=np.float64) % 7, step)
            found += list(weights)
        found += list(batch)
    return found


def filled(make, items):
    memory = make()
    for number in range(items):
        memory.add(number)
    return memory


MAKERS = {"uniform": lambda: uniform(batch_size=4, warmup_size=4, capacity=50)} | {
    mode: lambda mode=mode: priority(mode, batch_size=4, capacity=50) for mode in MODES
}


@pytest.mark.parametrize("items", [30, 50, 73], ids=["part", "full", "overwritten"])
@pytest.mark.parametrize("maker", MAKERS)
def test_it_goes_on_drawing(maker, items):
    memory, other = filled(MAKERS[maker], items), MAKERS[maker]()
    drawn(memory)
    other.restore(memory.backup())
    assert drawn(other) == drawn(memory)


def test_a_backup_draws_nothing_and_one_before_the_first_draw_leaves_it_to_random():
    memory, other = filled(MAKERS["uniform"], 30), filled(MAKERS["uniform"], 30)
    drawn(other)
    random.seed(1)
    other.restore(memory.backup())
    assert random.random() == random.Random(1).random()
    random.seed(2)
    first = drawn(memory)
    random.seed(2)
    assert drawn(other) == first
