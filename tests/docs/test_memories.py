"""docs/memories.md: its blocks run, its tables have every setting and its default, and its modes their signatures."""

import dataclasses
import inspect
import re
import sys
import types

import pytest
from markdown import ROOT, blocks

from srl.rl.memories.episode_replay_buffer import EpisodeReplayBufferConfig
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig
from srl.rl.memories.replay_buffer import ReplayBufferConfig
from srl.rl.memories.schema import schema_of

PAGE = ROOT / "docs" / "memories.md"
CONFIGS = [ReplayBufferConfig, PriorityReplayBufferConfig, EpisodeReplayBufferConfig]


@pytest.fixture(scope="module")
def page():
    """The page's blocks as one module."""
    module = types.ModuleType("memories_page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        exec("\n\n".join(blocks(PAGE, "python")), module.__dict__)
        yield module


def test_the_blocks_run(page):
    assert page.recent.length() == 257


def test_a_memory_of_ones_own_gets_what_travelled(page):
    memory, of_trainer = page.Recent(), page.Recent()
    add = memory.get_worker_funcs()["add"]
    add.apply(add.serialize(({"reward": 2.0},), {}))
    add.columns({"reward": page.np.ones(3)}, 3)
    recv = memory.get_trainer_recv_funcs()["sample"]
    assert of_trainer.get_trainer_recv_funcs()["sample"].decode(recv.encoded()) == 5.0


def table(config):
    """Return the defaults that the page states, by field."""
    text = PAGE.read_text(encoding="utf-8").split(f"| field of `{config.__name__}` | default | |\n|---|---|---|\n")[1]
    return dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", text.partition("\n\n")[0], re.MULTILINE))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_the_tables_have_every_field_and_its_default(config):
    inherited = {field.name for field in dataclasses.fields(config.__base__)} if config is not CONFIGS[0] else set()
    own = [field.name for field in dataclasses.fields(config) if field.name not in inherited]
    assert table(config) == {name: repr(getattr(config(), name)).replace("'", '"') for name in own}


def test_the_modes_have_the_arguments_that_the_page_states():
    stated = dict(re.findall(r"^\| `(set_\w+)\((.*?)\)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert stated.keys() == {name for name in vars(PriorityReplayBufferConfig) if name.startswith("set_")}
    stated["set_proportional_cpp"] = stated["set_proportional_cpp"].replace("...", stated["set_proportional"])
    for name, arguments in stated.items():
        parameters = list(inspect.signature(getattr(PriorityReplayBufferConfig, name)).parameters.values())[1:]
        actual = [p.name if p.default is p.empty else f"{p.name}={p.default}" for p in parameters]
        assert ", ".join(actual) == arguments


def test_the_size_of_a_transition(page):
    state = page.np.zeros(4, page.np.float32)
    item = {"state": state, "action": 1, "reward": 1.0, "next_state": state, "done": False}
    assert f"has {schema_of(item).item_bytes} bytes" in PAGE.read_text(encoding="utf-8").replace("\n", " ")
