"""The specification's section 2 and 4, run as printed. The page lost its indentation: it is put back here first."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

import counting_env  # noqa: F401  registers the environment
import numpy as np
import pytest

import srl
from srl.base.context import RunContext
from srl.base.define import RLActionType
from srl.base.env.env_run import EnvRun
from srl.base.rl.config import DummyRLConfig
from srl.base.rl.processor import RLProcessor
from srl.base.rl.registration import register
from srl.base.spaces.space import SpaceBase

SPECIFICATION = Path(__file__).parents[2].parent / "shared" / "spec" / "custom_algorithm.ja.txt"

pytestmark = pytest.mark.skipif(not SPECIFICATION.exists(), reason="the specification is not beside this checkout")

TAKEN_FOR_GRANTED = {
    "Any": Any, "List": list, "Optional": Optional, "np": np, "EnvRun": EnvRun, "SpaceBase": SpaceBase,
    "RLProcessor": RLProcessor, "RLActionType": RLActionType, "RunContext": RunContext,
}  # fmt: skip
"""Names that the page's snippets use and do not import."""

register(DummyRLConfig(name="Page"), "page:Memory", "page:Parameter", "page:Trainer", "page:Worker")

CONFIG = ("from srl.base.define import RLBaseTypes", "※ __post_init__")
SINGLE_USE = ("from srl.rl.memories.single_use_buffer import RLSingleUseBuffer", "RLReplayBuffer")
REPLAY = ("from srl.rl.memories.replay_buffer import", "RLPriorityReplayBuffer")
PRIORITY = ("from srl.rl.memories.priority_replay_buffer import", "オリジナルMemoryの作成")
MEMORY = ("from srl.base.rl.memory import RLMemory", "※ v0.19.0")
PARAMETER = ("from srl.base.rl.parameter import RLParameter", "※ v0.19.0")
TRAINER = ("from srl.base.rl.trainer import RLTrainer", "※ v0.19.0")
WORKER = ("from srl.base.rl.worker import RLWorker", "# --- 実装時に")
WORKER_PROPERTIES = ("# --- 実装時に", "class MyWorker(RLWorker):")
WORKER_ATTRIBUTES = ("self.sample_action()", "3. 自作アルゴリズムの登録")
TYPED = ("# RLMemory[TConfig]", "5. 実装例")


def printed(snippet: tuple[str, str]) -> list[str]:
    """Return the lines of the page around the first and before the last marker, imports above it included."""
    first, last = snippet
    lines = SPECIFICATION.read_text(encoding="utf-8").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(first))
    end = next(number for number in range(begin + 1, len(lines)) if lines[number].startswith(last))
    while lines[begin - 1].startswith(("from ", "import ")):
        begin -= 1
    return lines[begin:end]


def indented(lines: list[str]) -> str:
    """Put the indentation back: classes at the left, methods in them, statements in those."""
    out: list[str] = []
    depth, brackets, in_docstring = 0, 0, False
    for line in lines:
        word = line.split()[0] if line else ""
        inside = brackets > 0 or in_docstring
        if not inside and word in {"class", "from", "import", "@dataclass", "def"}:
            depth = 4 if word == "def" else 0
        out.append(" " * depth + line)
        brackets += len(re.findall(r"[(\[{]", line)) - len(re.findall(r"[)\]}]", line))
        in_docstring ^= line.count('"""') == 1
        if word in {"class", "def", "if"}:
            depth += 4
        elif depth == 12 or (word == "pass" and depth == 4):
            depth -= 4  # what an `if` rules is one line, and a class of `pass` is over
    return "\n".join(out) + "\n"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module for what the page defines."""
    module = ModuleType("page")
    vars(module).update(TAKEN_FOR_GRANTED)
    monkeypatch.setitem(sys.modules, "page", module)
    return module


def execute(snippet: tuple[str, str], page: ModuleType) -> None:
    run(printed(snippet), page)


def run(lines: list[str], page: ModuleType) -> None:
    exec(compile(indented(lines), "page", "exec"), vars(page))


def test_single_use_buffer(page: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    execute(SINGLE_USE, page)
    assert capsys.readouterr().out == "[[1, 2], [2, 3], [3, 4]]\n"


def test_replay_buffer(page: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    execute(REPLAY, page)
    items = re.fullmatch(r"\[(\d), (\d)\]\n", capsys.readouterr().out)
    assert items is not None
    assert len({*items.groups()} & {"1", "2", "3", "4"}) == 2


def test_priority_replay_buffer(page: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    execute(PRIORITY, page)
    assert re.fullmatch(r"\[[1-4], [1-4]\]\n", capsys.readouterr().out)
    assert (page.weights.shape, page.weights.dtype) == ((2,), np.float32)
    assert page.weights.max() == 1


@pytest.mark.parametrize(
    "choice",
    ["set_replay_buffer", "set_proportional", "set_proportional_cpp", "set_rankbased", "set_rankbased_linear"],
)
def test_each_choice_of_priorities(page: ModuleType, choice: str) -> None:
    lines = [line for line in printed(PRIORITY) if line != "config.memory.set_proportional()"]
    lines = [line.removeprefix("# ") if line.endswith(f".{choice}()") else line for line in lines]
    lines = lines if choice != "set_proportional" else printed(PRIORITY)
    assert sum(line.startswith("config.memory.set_") for line in lines) == 1
    run(lines, page)
    assert len(page.batches) == 2
    assert page.memory.length() == 4


def parts_of_the_page(page: ModuleType) -> None:
    """Define the page's skeletons of all classes, and complete what it leaves open."""
    for snippet in (CONFIG, MEMORY, PARAMETER, TRAINER, WORKER):
        execute(snippet, page)
    exec(COMPLETED, vars(page))


COMPLETED = """
import pickle

@dataclass
class Config(MyConfig):
    def get_name(self): return "Page"
    def get_base_action_type(self): return RLBaseTypes.DISCRETE
    def get_base_observation_type(self): return RLBaseTypes.DISCRETE
    def get_framework(self): return ""
    def use_render_image_state(self): return True

class Memory(MyMemory):
    def setup(self):
        self.batches, self.updates = [], []
        super().setup()
    def add(self, batch, serialized=False): self.batches.append(batch)
    def sample(self): return self.batches.pop() if self.batches else None
    def update(self, batch): self.updates.append(batch)
    def call_restore(self, data, **kwargs): self.batches = data
    def call_backup(self, **kwargs): return self.batches

class Parameter(MyParameter):
    def call_restore(self, data, **kwargs): pass
    def call_backup(self, **kwargs): return 1

class Trainer(MyTrainer):
    def train(self):
        batch = self.memory.sample()
        if batch is not None:
            self.memory.update(batch)
            self.train_count += 1
            self.info = {"loss": 0.0}

class Worker(MyWorker):
    def on_reset(self, worker): pass
    def policy(self, worker): return 4
    def on_step(self, worker): self.memory.add(worker.reward)
"""


def test_the_skeletons_completed_train(page: ModuleType) -> None:
    parts_of_the_page(page)
    config = page.Config()
    assert (config.hoo_param, config.bar_param) == (0, 0)
    runner = srl.Runner("Counting", config)
    state = runner.train(max_episodes=1, enable_progress=False)
    assert state.train_count == 4
    assert runner.memory.updates == [1, 2, 3, 4]
    assert state.trainer.info["loss"] == 0.0


def test_the_skeletons_say_what_is_left_to_do(page: ModuleType) -> None:
    for snippet in (CONFIG, MEMORY, PARAMETER, TRAINER, WORKER):
        execute(snippet, page)
    with pytest.raises(NotImplementedError):
        srl.Runner("Counting", page.MyConfig())
    with pytest.raises(NotImplementedError):
        page.MyTrainer(None, None, None).train()
    with pytest.raises(NotImplementedError):
        page.MyMemory().sample()


def test_the_skeleton_of_a_memory_goes_through_its_serializer(page: ModuleType) -> None:
    parts_of_the_page(page)
    vars(page)["pickle"] = __import__("pickle")
    add = page.MyMemory().get_worker_funcs()["add"]
    add.apply(add.serialize(({"state": 1},), {}))


def test_every_property_of_a_worker_is_there_in_every_hook(page: ModuleType) -> None:
    parts_of_the_page(page)
    names = [line.split("#")[0].strip() for line in printed(WORKER_PROPERTIES) if line.startswith("self.")]
    assert len(names) == 7
    seen: list[str] = []

    def look(worker: Any) -> int:
        seen.extend(name for name in names if eval(name, {"self": worker}) is not None)
        return 4

    for hook in ("on_reset", "policy", "on_step"):
        setattr(page.Worker, hook, lambda self, worker: look(self))
    srl.Runner("Counting", page.Config()).rollout(max_episodes=1, enable_progress=False)
    assert seen == names * 9  # one on_reset, four times policy and on_step


def test_every_attribute_is_there_in_the_hook_that_the_page_names(page: ModuleType) -> None:
    parts_of_the_page(page)
    run(printed(WORKER_ATTRIBUTES)[1:], page)
    looking = page.MyWorker
    hooks = []

    class Worker(looking):  # type: ignore[misc,valid-type]
        def on_reset(self, worker: Any) -> None:
            hooks.append("on_reset")
            super().on_reset(worker)

        def policy(self, worker: Any) -> int:
            hooks.append("policy")
            super().policy(worker)
            return 4

        def on_step(self, worker: Any) -> None:
            hooks.append("on_step")
            super().on_step(worker)

        def render_terminal(self, worker: Any) -> None:
            hooks.append("render")
            super().render_terminal(worker)

    page.Worker = Worker
    srl.Runner("Counting", page.Config()).render_terminal()
    assert hooks == ["on_reset", *["policy", "render", "on_step"] * 4, "render"]


def test_type_hints(page: ModuleType) -> None:
    exec("from srl.base.rl.algorithms.base_dqn import RLConfig, RLWorker", vars(page))
    exec(
        "from srl.base.rl.memory import RLMemory\nfrom srl.base.rl.parameter import RLParameter\n"
        "from srl.base.rl.trainer import RLTrainer\nclass Config(RLConfig): pass\nclass Memory(RLMemory[Config]): pass",
        vars(page),
    )
    execute(TYPED, page)
    assert {name for name in ("Memoryr", "Parameter", "Trainer", "Worker") if hasattr(page, name)} == {
        "Memoryr", "Parameter", "Trainer", "Worker",
    }  # fmt: skip
