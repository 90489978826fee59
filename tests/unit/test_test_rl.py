"""The conformance kit finds what is wrong, and passes what is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import counting_env  # noqa: F401  registers the environments
import my_ql
import probe_rl
import pytest

from srl.algorithms import ql
from srl.base.rl.registration import register
from srl.test import rl as kit
from srl.utils.usage import UsageError


@dataclass
class Idle(probe_rl.Config):
    def get_name(self) -> str:
        return "Idle"


@dataclass
class Forgetful(probe_rl.Config):
    def get_name(self) -> str:
        return "Forgetful"


@dataclass
class Changing(probe_rl.Config):
    changing: int = 0

    def __post_init__(self) -> None:
        self.changing += 1


class ForgetfulMemory(probe_rl.Memory):
    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        self.buffer = []


class NeverAdds(probe_rl.Worker):
    def on_step(self, worker: Any) -> None:
        pass


register(Idle(), "probe_rl:Memory", "", "", "test_test_rl:NeverAdds", check_duplicate=False)
register(
    Forgetful(),
    "test_test_rl:ForgetfulMemory",
    "",
    "probe_rl:Trainer",
    "probe_rl:Worker",
    check_duplicate=False,
)


@pytest.mark.parametrize("mode", ["", "rollout"])
@pytest.mark.parametrize("config", [ql.Config(), my_ql.Config()])
def test_good_algorithms_pass(config: Any, mode: Any, capsys: pytest.CaptureFixture[str]) -> None:
    kit.test_rl(config, test_mode=mode)
    assert capsys.readouterr().out.count("###") > 5
    assert not config.is_setup()


def test_files_can_be_kept(tmp_path: Any) -> None:
    kit.test_rl(ql.Config(), ["Grid"], test_mode="rollout", tmp_dir=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "rl_config.yaml",
        "memory.dat",
        "parameter.dat",
        "test_rl.gif",
    }


def test_one_that_never_trains_fails() -> None:
    with pytest.raises(AssertionError, match="train\\(\\) never raised train_count"):
        kit.test_rl(Idle(), ["Counting"], test_train_kwargs={"max_steps": 5})


def test_one_that_never_adds_fails() -> None:
    with pytest.raises(AssertionError, match="the memory is empty after 100 steps"):
        kit.test_rl(Idle(), ["Counting"], test_mode="rollout")


def test_one_that_loses_its_memory_fails() -> None:
    with pytest.raises(AssertionError, match="another length after save and load"):
        kit.test_rl(Forgetful(), ["Counting"], test_mode="rollout")


def test_a_configuration_that_cannot_be_saved_fails() -> None:
    with pytest.raises(UsageError, match=r"Config\.base is <object"):
        kit.test_rl(probe_rl.Config(base=object()), ["Counting"])  # type: ignore[arg-type]


def test_parts_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    kit.test_rl(ql.Config(), ["Grid"], test_render_terminal=False, test_render_window=False, test_backup=False)
    assert "###" not in capsys.readouterr().out


def test_rule_based_players() -> None:
    kit.test_rl_rulebase("random")
    with pytest.raises(UsageError, match="'nobody' is not registered"):
        kit.test_rl_rulebase("nobody")


def test_imported_into_a_test_module_it_is_no_test() -> None:
    assert kit.test_rl.__test__ is False  # type: ignore[attr-defined]
