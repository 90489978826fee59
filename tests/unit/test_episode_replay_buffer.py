"""The episode memory: slices lie within one episode, at the places that the settings allow, each as likely."""

import random
from dataclasses import dataclass, field

import numpy as np
import pytest

from srl.base.rl.config import DummyRLConfig
from srl.rl.memories.episode_replay_buffer import (
    EpisodeReplayBuffer,
    EpisodeReplayBufferConfig,
    RLEpisodeReplayBuffer,
)
from srl.utils.usage import UsageError


@dataclass
class Config(DummyRLConfig):
    batch_size: int = 2
    memory: EpisodeReplayBufferConfig = field(
        default_factory=lambda: EpisodeReplayBufferConfig(warmup_size=2, prefix_size=1, suffix_size=1)
    )


def episode(first, length):
    return list(range(first, first + length))


def buffer(*lengths, batch_size=1, **settings):
    """Return a buffer with episodes whose steps are 100, 101, ..., then 200, 201, ..., and so on."""
    made = EpisodeReplayBuffer(batch_size, **{"warmup_size": batch_size, **settings})
    for number, length in enumerate(lengths, 1):
        made.add(episode(100 * number, length))
    return made


def seen(sample, draws=300):
    return sorted({str(next(iter(sample()))) for _ in range(draws)})


def test_slices_are_all_that_fit_into_an_episode():
    made = buffer(4, 2, 3, prefix_size=1, suffix_size=1)
    assert seen(made.sample) == ["[100, 101, 102]", "[101, 102, 103]", "[300, 301, 302]"]


def test_head_and_tail_are_left_out():
    made = buffer(6, prefix_size=1, skip_head=2, skip_tail=1)
    assert seen(made.sample) == ["[102, 103]", "[103, 104]"]
    assert seen(made.sample_steps) == ["102", "103", "104"]


def test_every_slice_is_as_likely_and_none_comes_twice():
    made = buffer(5, 3, 9, batch_size=2, suffix_size=2)
    made._rng = np.random.default_rng(5)
    firsts = np.array([[piece[0] for piece in made.sample()] for _ in range(2000)])
    assert (firsts[:, 0] != firsts[:, 1]).all()
    _, counts = np.unique(firsts[:, 0], return_counts=True)
    assert len(counts) == 3 + 1 + 7
    assert ((counts - 2000 / 11) ** 2 / (2000 / 11)).sum() < 29.59  # chi-square, 10 degrees, p = 0.001 (NIST)


def test_nothing_comes_before_the_warm_up_and_while_there_are_too_few_slices():
    made = buffer(3, batch_size=2, warmup_size=4, suffix_size=2)
    assert (made.sample(), made.sample_steps(), made.sample_sequential()) == (None, None, None)
    made.add(episode(200, 2))
    assert made.sample() is None
    assert len(made.sample_steps()) == 2
    made.add(episode(300, 3))
    assert sorted(made.sample()) == [[100, 101, 102], [300, 301, 302]]


def test_without_a_long_enough_episode_there_is_no_sequence():
    assert buffer(2, 2, suffix_size=2).sample_sequential() is None


def test_a_sequence_goes_through_episodes_by_its_stride():
    made = buffer(7, suffix_size=1, sequential_stride=2)
    seen = [made.sample_sequential() for _ in range(6)]
    assert [slices[0][0] for slices, _ in seen] == [100, 102, 104, 100, 102, 104]
    assert [bool(begins[0]) for _, begins in seen] == [True, False, False] * 2


def test_each_stream_has_a_place_of_its_own():
    made = buffer(3, 50, batch_size=8)
    made._rng = np.random.default_rng(1)
    before = None
    for _ in range(60):
        slices, begins = made.sample_sequential()
        firsts = np.array([piece[0] for piece in slices])
        if before is not None:
            assert (firsts[~begins] == before[~begins] + 1).all()
        assert set(firsts[begins]) <= {100, 200}
        before = firsts


def test_a_stream_leaves_an_episode_that_is_gone():
    made = buffer(10, capacity=12)
    assert [made.sample_sequential()[0][0][0] for _ in range(2)] == [100, 101]
    made.add(episode(900, 8))
    slices, begins = made.sample_sequential()
    assert (slices[0], begins.tolist()) == ([900], [True])


def test_episodes_go_as_a_whole_and_the_newest_stay():
    made = buffer(4, 4, 4, capacity=10)
    assert len(made) == 8
    assert seen(made.sample) == [f"[{step}]" for step in (200, 201, 202, 203, 300, 301, 302, 303)]
    made.clear()
    assert (len(made), made.sample()) == (0, None)


@pytest.mark.parametrize("items", [str, lambda n: {"state": np.full(2, n), "n": n}, lambda n: (n, 0.5)])
def test_steps_come_back_as_they_were(items):
    made = EpisodeReplayBuffer(1, warmup_size=1, suffix_size=1)
    steps = [items(number) for number in range(2)]
    made.add(steps)
    assert made.sample() == [steps]


def test_columns_have_an_axis_of_slices_and_one_of_steps():
    made = EpisodeReplayBuffer(2, warmup_size=2, suffix_size=2)
    made.add([{"state": np.full((2, 2), n, np.float32), "n": n} for n in range(5)])
    columns = made.sample().columns
    assert (columns["state"].shape, columns["n"].shape) == ((2, 3, 2, 2), (2, 3))
    assert (np.diff(columns["n"], axis=1) == 1).all()
    tuples = buffer(suffix_size=1)
    tuples.add([(1, 2), (3, 4)])
    assert [column.tolist() for column in tuples.sample().columns] == [[[1, 3]], [[2, 4]]]
    assert buffer(2, suffix_size=1).sample().columns.tolist() == [[100, 101]]


def test_an_episode_that_cannot_be_kept_is_refused():
    made = buffer(3, capacity=4)
    with pytest.raises(ValueError, match="without steps"):
        made.add([])
    with pytest.raises(ValueError, match="5 steps does not fit"):
        made.add(episode(200, 5))
    made.add(episode(300, 2))
    assert seen(made.sample_steps) == ["300", "301"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("prefix_size", {"prefix_size": -1}),
        ("suffix_size", {"suffix_size": -1}),
        ("skip_head", {"skip_head": -1}),
        ("skip_tail", {"skip_tail": -1}),
        ("sequential_stride", {"sequential_stride": 0}),
        ("slice", {"capacity": 2, "prefix_size": 1, "suffix_size": 1}),
        ("batch_size", {"warmup_size": 1, "batch_size": 2}),
    ],
)
def test_settings_that_cannot_be_are_named(name, values):
    with pytest.raises(ValueError, match=name):
        buffer(**values)


@pytest.mark.parametrize("capacity", [100, 5])
@pytest.mark.parametrize("compress", [True, False])
def test_restore_across_capacity_and_compression(capacity, compress):
    made, other = buffer(4, 4, compress=compress), buffer(3, capacity=capacity, compress=not compress)
    made.add(["text", "more"])
    other.restore(made.backup())
    assert len(other) == (10 if capacity == 100 else 2)
    assert seen(other.sample_steps)[-2:] == ["more", "text"]


def drawn(made):
    samples = [made.sample(), made.sample_steps()] * 10
    sequential = [made.sample_sequential() for _ in range(10)]
    return [list(each) for each in samples], [(list(slices), begins.tolist()) for slices, begins in sequential]


def test_one_that_is_restored_draws_what_the_other_draws_next():
    made, other = (buffer(4, 9, 6, batch_size=3, suffix_size=1) for _ in range(2))
    for _ in range(2):
        drawn(made)
    other.restore(made.backup())
    assert drawn(other) == drawn(made)


def test_one_that_is_restored_before_the_first_draw_leaves_it_to_random():
    made, other = (buffer(9, suffix_size=1) for _ in range(2))
    drawn(other)
    other.restore(made.backup())
    random.seed(2)
    first = drawn(made)
    random.seed(2)
    assert drawn(other) == first


def test_streams_of_another_batch_size_begin_anew():
    made, other = buffer(9, batch_size=2, suffix_size=1), buffer(9, batch_size=3, suffix_size=1)
    made.sample_sequential()
    other.restore(made.backup())
    slices, begins = other.sample_sequential()
    assert (len(slices), begins.tolist()) == (3, [True] * 3)


def memory_of(config=None):
    return RLEpisodeReplayBuffer(config or Config())


def test_the_way_through_the_serializer_and_back_to_the_trainer():
    memory, of_trainer = memory_of(), memory_of()
    add = memory.get_worker_funcs()["add"]
    for steps in ([{"n": n} for n in range(4)], [{"n": n, "note": "x"} for n in range(4)]):
        add.apply(add.serialize((steps,), {}))
    assert memory.length() == 8
    for name, recv in memory.get_trainer_recv_funcs().items():
        decoded = of_trainer.get_trainer_recv_funcs()[name].decode(recv.encoded())
        slices = decoded[0] if name == "sample_sequential" else decoded
        assert len(slices) == 2
        assert not recv.consumes
    for slices in (memory.sample(), decoded[0]):
        assert all(np.diff([step["n"] for step in piece]).tolist() == [1, 1] for piece in slices)


def test_nothing_to_sample_travels_as_none():
    memory = memory_of()
    assert memory.is_warmup_needed()
    assert [recv.encoded() for recv in memory.get_trainer_recv_funcs().values()] == [None] * 3


def test_backup_restore_and_clear():
    memory, other = memory_of(), memory_of()
    memory.add(episode(1, 5))
    other.restore(memory.backup(compress=True))
    memory.clear()
    assert (memory.length(), other.length()) == (0, 5)


def test_a_subclass_with_a_sample_of_its_own_is_asked():
    class Own(RLEpisodeReplayBuffer):
        def sample(self):
            return "own"

    recv = Own(Config()).get_trainer_recv_funcs()["sample"]
    assert (recv.func(), recv.encoded) == ("own", None)


def test_functions_may_be_left_out():
    class Silent(RLEpisodeReplayBuffer):
        def setup(self):
            super().setup(register_add=False, register_sample=False)

    memory = Silent(Config())
    assert (memory.get_worker_funcs(), memory.get_trainer_recv_funcs()) == ({}, {})


def test_a_config_without_the_fields():
    with pytest.raises(UsageError, match="memory: EpisodeReplayBufferConfig"):
        memory_of(DummyRLConfig())
