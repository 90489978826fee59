"""docs/environments.md: its blocks, put together, run; what its tables say is so."""

import importlib
import re

import numpy as np
import pytest
from markdown import ROOT, blocks

import srl
from srl.base.env.config import EnvConfig
from srl.base.env.processor import EnvProcessor
from srl.base.spaces import ArrayDiscreteSpace
from srl.envs import BUILT_IN
from srl.test.env import env_test

PAGE = ROOT / "docs" / "environments.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page's blocks as a module; who is asked for an action types the first that is free, then gives up."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "page_environments.py").write_text("\n\n".join(blocks(PAGE, "python")), encoding="utf-8")
    typed = iter(["no such action", "q"])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.chdir(folder)
        patch.setattr("builtins.input", lambda prompt: next(typed))
        yield importlib.import_module("page_environments")
        assert next(typed, None) is None  # the human was asked


def test_the_environment_of_the_page_is_learned(page):
    assert np.mean(page.catch_rewards) > 0.8


def test_cart_pole_of_the_page_is_small_and_short(page):
    env = page.cart_pole.make()
    assert (env.observation_space, env.max_episode_steps) == (ArrayDiscreteSpace(2, 0, 6), 200)
    assert len(page.coarse_rewards) == 10
    assert max(page.coarse_rewards) <= 200


def test_players_of_the_page_play(page):
    assert len(page.against_cpu) == len(page.lowest) == 10
    assert all(rewards[0] <= 0 for rewards in page.against_cpu)  # nobody beats it


def test_the_processor_of_the_page(page):
    assert page.processed.rewards == [-0.5]
    assert len(page.processed.state) == 2


def test_the_environment_of_the_page_conforms_without_what_may_be_left_out(page):
    env_test(EnvConfig("Catch", {"drift": 0.5}), test_restore=False)


def rows(heading):
    """Return the cells of the first table below a heading."""
    section = TEXT.split(f"## {heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\|\n)+", section, re.MULTILINE).group()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]


def test_the_table_of_environments_is_complete_and_right():
    named = []
    for ids, players, actions, _, good in rows("What comes with the package"):
        for env_id in re.findall(r"`([^`]+)`", ids):
            named.append(env_id)
            env = srl.make_env(env_id)
            assert (env.player_num, env.action_space.n) == (int(players), int(actions)), env_id
            assert good == baselines(env.reward_baseline), env_id
            assert (env.env.make_worker("cpu") is not None) == (env.player_num == 2), env_id
    assert sorted(named) == sorted(BUILT_IN)


def baselines(of):
    if of is None:
        return ""
    if isinstance(of, dict):
        return str(of["baseline"])
    return ", ".join(str(max(filter(None, each["baseline"]))) for each in of)


def test_the_table_of_settings_is_complete():
    named = re.findall(r"`(\w+)`", "".join(cells[0] for cells in rows_of_settings()))
    assert sorted(named) == sorted(set(EnvConfig.__dataclass_fields__) - {"use_gym"})


def rows_of_settings():
    table = re.search(r"(?:^\|.*\|\n)+", TEXT, re.MULTILINE).group()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]


def test_hooks_of_processors_are_those_of_the_class():
    named = set(re.findall(r"`(\w+)`", "".join(cells[0] for cells in rows("Processors"))))
    documented = set(re.findall(r"remap_\w+", EnvProcessor.__doc__)) | {
        name for name in vars(EnvProcessor) if not name.startswith("_")
    }
    assert named == documented - {"copy"}


def test_methods_that_may_be_written_exist():
    from srl.base.env import EnvBase

    cells = "".join(row[0] for row in rows("An environment of your own"))
    for name in re.findall(r"`(\w+)", cells):
        assert hasattr(EnvBase, name), name
