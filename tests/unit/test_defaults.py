"""The fields, defaults and signatures that code written for the specification relies on."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
from typing import Any

import numpy as np
import pytest

import srl
from srl.base.context import RunContext
from srl.base.define import RLBaseTypes, SpaceTypes
from srl.base.rl import registration
from srl.base.rl.config import DummyRLConfig, RLConfig
from srl.base.rl.worker_run import WorkerRun
from srl.base.spaces import (
    AnySpace,
    ArrayContinuousSpace,
    ArrayDiscreteSpace,
    BoxSpace,
    ContinuousSpace,
    DiscreteSpace,
    MultiSpace,
    NpArraySpace,
    SpaceEncodeOptions,
    TextSpace,
)


def public_fields(instance: Any) -> dict[str, Any]:
    names = [f.name for f in dataclasses.fields(instance) if not f.name.startswith("_")]
    return {name: getattr(instance, name) for name in names}


def test_fields_of_a_configuration() -> None:
    fields = public_fields(DummyRLConfig())
    assert fields.pop("name") == "dummy"
    assert fields == {
        "observation_mode": "",
        "override_env_observation_type": SpaceTypes.UNKNOWN,
        "override_observation_type": RLBaseTypes.NONE,
        "override_action_type": RLBaseTypes.NONE,
        "action_division_num": 10,
        "observation_division_num": 1000,
        "frameskip": 0,
        "extend_worker": None,
        "processors": [],
        "render_image_processors": [],
        "enable_rl_processors": True,
        "enable_state_encode": True,
        "enable_action_decode": True,
        "window_length": 1,
        "render_image_window_length": 1,
        "state_encode_options": None,
        "action_decode_options": None,
        "reward_scale": 1.0,
        "reward_shift": 0,
        "render_last_step": True,
        "render_rl_image": True,
        "render_rl_image_size": (128, 128),
        "enable_sanitize": True,
        "enable_assertion": False,
        "dtype": "float32",
    }


def test_hooks_of_a_configuration_and_their_defaults() -> None:
    config, space = DummyRLConfig(), DiscreteSpace(2)
    assert RLConfig.__abstractmethods__ == {"get_name", "get_base_action_type", "get_base_observation_type"}
    assert config.get_framework() == ""
    assert config.get_processors(space) == config.get_render_image_processors(space) == []
    assert not config.use_backup_restore()
    assert not config.use_render_image_state()
    assert not config.use_update_parameter_from_worker()
    assert config.override_env_render_mode() == ""
    assert config.get_changeable_parameters() == []
    assert config.get_base_action_type_options() == SpaceEncodeOptions(cast=True)
    assert config.get_base_observation_type_options() == SpaceEncodeOptions(cast=True)
    config.validate_params()


def test_fields_of_a_context() -> None:
    expected: dict[str, Any] = {
        "env_config": None, "rl_config": None, "callbacks": [], "run_name": "main", "play_mode": "",
        "max_episodes": 0, "timeout": 0, "max_steps": 0, "max_train_count": 0, "max_memory": 0,
        "players": [], "shuffle_player": True, "disable_trainer": False, "train_interval": 1, "train_repeat": 1,
        "distributed": False, "training": False, "train_only": False, "rollout": False,
        "env_render_mode": "", "rl_render_mode": "", "actor_num": 1, "actor_id": 0, "actor_devices": "CPU",
        "memory_limit": -1, "enable_stats": False, "seed": None, "seed_enable_gpu": False, "device": "AUTO",
        "framework": "",
    }  # fmt: skip
    fields = public_fields(RunContext())
    assert {name: fields[name] for name in expected} == expected


def test_fields_of_encode_options() -> None:
    assert public_fields(SpaceEncodeOptions()) == {
        "cast": False, "cast_dtype": "", "np_zero_start": False, "np_norm_type": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (registration.register, ("config memory_entry_point parameter_entry_point trainer_entry_point "
                                "worker_entry_point check_duplicate=True")),
        (registration.register_rulebase, "name_or_config worker_entry_point check_duplicate=True"),
        (RLConfig.setup, "self env enable_log=True"),
        (RLConfig.make_memory, "self env=None"),
        (RLConfig.make_parameter, "self env=None"),
        (RLConfig.make_trainer, "self parameter memory env=None"),
        (RLConfig.make_worker, "self env parameter=None memory=None"),
        (RLConfig.copy, "self reset_env_config=False"),
        (WorkerRun.get_state_one_step, "self idx=-1"),
        (WorkerRun.add_invalid_actions, "self invalid_actions encode=False"),
        (WorkerRun.override_action, "self env_action encode=True"),
        (DiscreteSpace, "n start=0"),
        (ArrayDiscreteSpace, "size low high"),
        (ContinuousSpace, f"low={-math.inf} high={math.inf}"),
        (ArrayContinuousSpace, f"size low={-math.inf} high={math.inf}"),
        (NpArraySpace, f"size low={-math.inf} high={math.inf} dtype={np.float32} stype={SpaceTypes.UNKNOWN}"),
        (BoxSpace, (f"shape low={-math.inf} high={math.inf} dtype={np.float32} stype={SpaceTypes.UNKNOWN} "
                   "is_stack_ch=None")),
        (TextSpace, "max_length=-1 min_length=0 charset= padding= "),
        (MultiSpace, "spaces"),
        (AnySpace, ""),
        (DiscreteSpace.create_division_tbl, "self division_num max_size=100000 max_byte=1073741824"),
    ],
)  # fmt: skip
def test_signatures(function: Any, signature: str) -> None:
    parameters = inspect.signature(function).parameters.values()
    found = [p.name if p.default is p.empty else f"{p.name}={p.default}" for p in parameters]
    assert " ".join(found) == signature


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("discrete", "DiscreteSpace"),
        ("array_discrete", "ArrayDiscreteSpace"),
        ("continuous", "ContinuousSpace"),
        ("array_continuous", "ArrayContinuousSpace"),
        ("np_array", "NpArraySpace"),
        ("box", "BoxSpace"),
        ("text", "TextSpace"),
        ("multi", "MultiSpace"),
        ("any_space", "AnySpace"),
        ("space", "SpaceBase"),
        ("space", "SpaceEncodeOptions"),
    ],
)
def test_each_space_has_a_module_and_is_exported(module: str, name: str) -> None:
    spaces = importlib.import_module("srl.base.spaces")
    assert getattr(importlib.import_module(f"srl.base.spaces.{module}"), name) is getattr(spaces, name)


def test_names_of_the_package() -> None:
    for name in ("Runner", "EnvConfig", "RunContext", "make_env", "make_worker", "make_workers"):
        assert callable(getattr(srl, name))
    for name in ("load", "load_env", "load_rl", "load_context"):
        assert callable(getattr(srl, name))
    assert isinstance(srl.__version__, str)
