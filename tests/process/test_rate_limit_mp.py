"""The ratio of samples to inserts between real processes, with actors that are far too fast and with a fast learner."""

import limited_items
import pytest

import srl

TOLERANCE = 150
UPDATES = 500


def farthest(enable_mp_memory=True, **config):
    """Return how far the number of batches was from that of inserts, below and above 0, over a run."""
    runner = srl.Runner("Grid", limited_items.Config(tolerance=TOLERANCE, **config))
    runner.train_mp(actor_num=2, max_train_count=UPDATES, enable_mp_memory=enable_mp_memory, enable_progress=False)
    seen = runner.parameter.seen
    ahead = [number - inserted for number, inserted in enumerate(seen, 1)]
    assert len(ahead) >= UPDATES
    return min(ahead), max(ahead)


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
@pytest.mark.parametrize("slow", ["train_s", "step_s"])
def test_neither_side_runs_away(slow, enable_mp_memory):
    lowest, highest = farthest(enable_mp_memory, **{slow: 0.002})
    assert lowest >= -TOLERANCE - 250  # the chunk that begins the count is not in the ratio
    assert highest <= TOLERANCE


def test_control_without_a_limit_fast_actors_run_away():
    lowest, _ = farthest(ratio=0, train_s=0.002)
    assert lowest < -TOLERANCE - 250


def test_control_without_a_limit_a_fast_learner_runs_away():
    _, highest = farthest(ratio=0, step_s=0.01)
    assert highest > TOLERANCE
