"""Grid: its rules, its pictures, and that the best policy reaches what is said of it."""

import numpy as np
import pytest

from srl.base.env.config import EnvConfig
from srl.base.env.registration import make
from srl.base.exception import SRLError
from srl.base.spaces import ArrayDiscreteSpace, DiscreteSpace

LEFT, DOWN, RIGHT, UP = range(4)


def started(env_id="Grid", **kwargs):
    env = EnvConfig(env_id, kwargs).make()
    env.setup()
    env.reset(seed=0)
    return env


def test_what_it_says_of_itself():
    env = started()
    assert (env.action_space, env.observation_space) == (DiscreteSpace(4), ArrayDiscreteSpace(2, 0, 5))
    assert (env.state, env.max_episode_steps, env.player_num) == ([1, 3], 50, 1)
    assert "".join(env.action_to_str(a) for a in range(4)) == "←↓→↑"
    assert env.reward_range == pytest.approx((-2.96, 1.0))
    assert env.reward_baseline == {"episode": 100, "baseline": 0.65}


def test_moves_walls_and_ends():
    env = started("EasyGrid")
    path = [(LEFT, [1, 3]), (UP, [1, 2]), (RIGHT, [1, 2]), (UP, [1, 1]), (RIGHT, [2, 1]), (RIGHT, [3, 1])]
    for action, state in path:
        env.step(action)
        assert (env.state, env.reward, env.done) == (state, 0, False)
    env.step(RIGHT)
    assert (env.state, env.reward, env.done) == ([4, 1], 1, True)


def test_the_hole():
    env = started("EasyGrid")
    for action in (RIGHT, RIGHT, UP, RIGHT):
        env.step(action)
    assert (env.state, env.reward, env.done) == ([4, 2], -1, True)


def test_slipping():
    env = started()
    landed = []
    for _ in range(4000):
        env.reset()
        env.step(UP)
        assert env.reward == -0.04
        landed.append(tuple(env.state))
    shares = [landed.count(cell) / 4000 for cell in ((1, 2), (2, 3), (1, 3))]
    assert np.allclose(shares, [0.8, 0.1, 0.1], atol=0.03)


@pytest.mark.parametrize("action", range(4))
def test_slipping_goes_to_both_sides_and_never_back(action):
    env = started(field=(".....", ".   .", ". S .", ".  G.", "....."), move_prob=0.5)
    moves = set()
    for _ in range(300):
        env.reset()
        env.step(action)
        moves.add((env.state[0] - 2, env.state[1] - 2))
    steps = [(-1, 0), (0, 1), (1, 0), (0, -1)]
    assert moves == {steps[action], steps[action - 1], steps[action - 3]}


def test_a_seed_repeats_the_episode():
    def states(seed):
        env = started()
        env.reset(seed=seed)
        found = []
        while not env.done:
            env.step(RIGHT)
            found.append(env.state)
        return found

    assert states(3) == states(3)
    assert len({str(states(seed)) for seed in range(20)}) > 1


def test_terminal_picture(capsys):
    env = make("Grid")
    env.setup(render_mode="terminal")
    env.reset()
    env.env.player = (1, 2)
    assert env.render() is None
    assert capsys.readouterr().out == "......\n.   G.\n.P. X.\n.S   .\n......\n\n"


def test_picture():
    env = started()
    before = env.render_rgb_array()
    assert (before.shape, before.dtype) == ((160, 192, 3), np.uint8)
    env.env.player = (1, 2)
    assert not np.array_equal(env.render_rgb_array(), before)


def test_layer():
    env = started("Grid-layer")
    assert env.observation_space.shape == (5, 6, 1)
    assert np.argwhere(env.state[..., 0]).tolist() == [[3, 1]]


@pytest.mark.parametrize("field", [("...", ".S.", ".."), ("...", ".SS", "..."), ("...", ". .", "...")])
def test_a_field_that_cannot_be(field):
    with pytest.raises(SRLError, match="field"):
        EnvConfig("Grid", {"field": field}).make()


def best_policy(grid):
    """Value iteration over the model as the specification says it: 0.8 ahead, 0.1 to each side."""
    cells = {(x, y): c for y, row in enumerate(grid.field) for x, c in enumerate(row) if c != "."}
    steps = [(-1, 0), (0, 1), (1, 0), (0, -1)]

    def move(cell, a):
        target = (cell[0] + steps[a % 4][0], cell[1] + steps[a % 4][1])
        return target if target in cells else cell

    def worth(cell):
        return {"G": 1.0, "X": -1.0}.get(cells[cell])

    def q(cell, a):
        total = 0.0
        for chance, direction in ((0.8, a), (0.1, a + 1), (0.1, a - 1)):
            end = move(cell, direction)
            total += chance * (worth(end) if worth(end) is not None else -0.04 + values[end])
        return total

    values = dict.fromkeys(cells, 0.0)
    for _ in range(100):
        values = {cell: max(q(cell, a) for a in range(4)) for cell in cells}
    return {cell: max(range(4), key=lambda a: q(cell, a)) for cell in cells}, values[1, 3]


def test_the_best_policy_reaches_what_is_said():
    env = started()
    policy, expected = best_policy(env.env)
    rewards = []
    for seed in range(200):
        env.reset(seed=seed)
        while not env.done:
            env.step(policy[tuple(env.state)])
        rewards.append(env.episode_rewards[0])
    assert np.mean(rewards) >= 0.65
    assert expected == pytest.approx(0.73, abs=0.02)
