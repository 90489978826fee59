from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import counting_env  # noqa: F401  registers the environments
import probe_rl
import pytest

import srl
from srl.base.define import RLBaseTypes
from srl.base.rl import registration
from srl.base.rl.config import DummyRLConfig, RLConfig
from srl.base.rl.memory import DummyRLMemory
from srl.base.rl.trainer import DummyRLTrainer
from srl.utils.entry_point import entry_point_of, load_module
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Config(DummyRLConfig):
    framework: str = ""

    def get_framework(self) -> str:
        return self.framework


@dataclass
class FrameworkConfig(RLConfig[Any, Any]):
    framework: str = "torch"

    def get_name(self) -> str:
        return "Framed"

    def get_framework(self) -> str:
        return self.framework

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.NONE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.NONE


def test_the_framework_is_part_of_the_name() -> None:
    registration.register(FrameworkConfig(), "", "", "", "")
    assert registration.find_algorithm("Framed:torch") == registration.Algorithm()
    with pytest.raises(UsageError, match=r"'Framed' is not registered\. Did you mean Framed:torch"):
        registration.make_memory(FrameworkConfig(framework=""), srl.make_env("Counting"))


def test_an_unknown_algorithm() -> None:
    with pytest.raises(AssertionError, match=r"'Prob' is not registered\. Did you mean Probe\?"):
        registration.find_algorithm("Prob")


def test_empty_entry_points_are_classes_that_do_nothing() -> None:
    registration.register(DummyRLConfig(name="Empty"), "", "", "", "")
    config, env = DummyRLConfig(name="Empty"), srl.make_env("Counting")
    memory = config.make_memory(env)
    assert isinstance(memory, DummyRLMemory)
    assert isinstance(config.make_trainer(config.make_parameter(), memory), DummyRLTrainer)
    assert config.make_worker(env).config is config


def test_a_taken_name() -> None:
    registration.register(DummyRLConfig(name="Taken"), "", "", "", "")
    with pytest.raises(AssertionError, match="'Taken' is registered already"):
        registration.register(DummyRLConfig(name="Taken"), "", "", "", "")
    with pytest.warns(UserWarning, match="'Taken' is registered already"):
        registration.register(DummyRLConfig(name="Taken"), "m:C", "", "", "", check_duplicate=False)
    assert registration.find_algorithm("Taken").memory == "m:C"


def test_a_rule_based_player() -> None:
    registration.register_rulebase("Ruler", "probe_rl:Worker")
    with pytest.raises(UsageError, match="'Ruler' is registered already"):
        registration.register_rulebase("Ruler", "probe_rl:Worker")
    worker = srl.make_worker("Ruler", srl.make_env("Counting"))
    assert isinstance(worker.worker, probe_rl.Worker)
    with pytest.raises(UsageError, match=r"'Ruller' is not registered\. Did you mean Ruler"):
        registration.find_rulebase("Ruller")


def test_makers_need_an_environment_once() -> None:
    config = probe_rl.Config()
    for make in (config.make_memory, config.make_parameter):
        with pytest.raises(UsageError, match="has not met an environment"):
            make()
    config.setup(srl.make_env("Counting"))
    assert isinstance(config.make_memory(), probe_rl.Memory)


@pytest.mark.parametrize(
    ("entry_point", "text"),
    [
        ("no_colon", "is not of the form"),
        (":Class", "is not of the form"),
        ("module:", "is not of the form"),
        ("m:f.<locals>.C", "a class inside a function"),
    ],
)
def test_malformed_entry_points_are_refused_at_registration(entry_point: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        registration.register(DummyRLConfig(name="Malformed"), entry_point, "", "", "")


@pytest.mark.parametrize(
    ("entry_point", "text"),
    [
        ("no_such_module_at_all:C", "there is no module 'no_such_module_at_all'. Check its spelling"),
        ("probe_rl.sub:C", "there is no module 'probe_rl.sub'"),
        ("probe_rl:Absent", r"module 'probe_rl' \(.*probe_rl.py\) has no 'Absent'"),
        ("sys:Absent", r"module 'sys' \(no file\) has no 'Absent'"),
    ],
)
def test_entry_points_that_do_not_resolve(entry_point: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        load_module(entry_point)


def test_an_error_inside_the_authors_module_passes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_author.py").write_text("import no_such_dependency_of_author")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency_of_author") as caught:
        load_module("broken_author:C")
    assert not isinstance(caught.value, UsageError)


def test_an_entry_point_of_another_kind() -> None:
    registration.register(DummyRLConfig(name="Mixed"), "probe_rl:Worker", "", "", "")
    with pytest.raises(UsageError, match="'probe_rl:Worker' is no subclass of RLMemory"):
        registration.make_memory(DummyRLConfig(name="Mixed"), srl.make_env("Counting"))


def test_main_is_a_module_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "ThisClass", Config, raising=False)
    assert load_module("__main__:ThisClass") is Config


def test_entry_point_of_a_class() -> None:
    class Local:
        pass

    assert entry_point_of(probe_rl.Worker) == "probe_rl:Worker"
    with pytest.raises(UsageError, match="a class inside a function"):
        entry_point_of(Local)


def test_entry_points_of_players_that_do_not_learn() -> None:
    registration.register_rulebase("told", "my_players:Told", check_duplicate=False)
    players = [None, "told", ("random", {}), "cpu", probe_rl.Config()]
    assert registration.rulebase_entry_points(players) == ["my_players:Told", "srl.rl.random_play:Worker"]
