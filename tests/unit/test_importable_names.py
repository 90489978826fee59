"""Names that authors import, by the paths that the specification gives them."""

from __future__ import annotations

import importlib
import typing

import pytest

NAMES = {
    "srl": "Runner EnvConfig RunContext",
    "srl.base.define": (
        "RLBaseTypes SpaceTypes DoneTypes RenderModeType EnvActionType EnvObservationType RLActionType "
        "RLObservationType KeyBindType PlayerType PlayersType SpaceType"
    ),
    "srl.base.context": "RunContext RunState RunStateActor RunStateTrainer",
    "srl.base.exception": "SRLError UndefinedError NotSupportedError DistributionError",
    "srl.base.info": "Info",
    "srl.base.render": "IRender Render",
    "srl.base.run.callback": "RunCallback",
    "srl.base.env": "EnvBase",
    "srl.base.env.env_run": "EnvRun",
    "srl.base.rl.config": "RLConfig DummyRLConfig",
    "srl.base.rl.memory": "RLMemory",
    "srl.base.rl.parameter": "RLParameter",
    "srl.base.rl.trainer": "RLTrainer",
    "srl.base.rl.worker": "RLWorker RLWorkerGeneric",
    "srl.base.rl.worker_run": "WorkerRun",
    "srl.base.rl.processor": "RLProcessor Processor",
    "srl.base.rl.registration": "register register_rulebase",
    "srl.base.rl.algorithms.base_ql": "RLConfig RLWorker",
    "srl.base.rl.algorithms.base_dqn": "RLConfig RLWorker",
    "srl.base.rl.algorithms.base_ppo": "RLConfig RLWorker",
    "srl.base.rl.algorithms.base_continuous": "RLConfig RLWorker",
    "srl.base.rl.algorithms.base_vanilla_policy": "RLConfig RLWorker",
    "srl.base.rl.algorithms.env_worker": "EnvWorker",
    "srl.base.rl.algorithms.extend_worker": "ExtendWorker",
    "srl.base.spaces": (
        "DiscreteSpace ArrayDiscreteSpace ContinuousSpace ArrayContinuousSpace NpArraySpace BoxSpace TextSpace "
        "MultiSpace AnySpace"
    ),
    "srl.base.spaces.array_discrete": "ArrayDiscreteSpace",
    "srl.base.spaces.discrete": "DiscreteSpace",
    "srl.base.spaces.space": "SpaceBase",
    "srl.rl.config": "RLConfig",
    "srl.rl.worker": "RLWorker",
    "srl.rl.memories.single_use_buffer": "RLSingleUseBuffer",
    "srl.rl.memories.replay_buffer": "ReplayBufferConfig RLReplayBuffer",
    "srl.rl.memories.priority_replay_buffer": "PriorityReplayBufferConfig RLPriorityReplayBuffer",
    "srl.test.rl": "test_rl test_rl_rulebase",
}


@pytest.mark.parametrize(("module", "names"), NAMES.items(), ids=NAMES)
def test_a_module_has_its_names(module: str, names: str) -> None:
    loaded = importlib.import_module(module)
    assert [name for name in names.split() if not hasattr(loaded, name)] == []


def test_other_names_are_the_same_classes() -> None:
    from srl.base.rl.config import RLConfig
    from srl.base.rl.processor import Processor, RLProcessor
    from srl.base.rl.worker import RLWorker
    from srl.rl.config import RLConfig as OtherConfig
    from srl.rl.worker import RLWorker as OtherWorker

    assert (OtherConfig, OtherWorker, Processor) == (RLConfig, RLWorker, RLProcessor)


def test_render_modes() -> None:
    from srl.base.define import RenderModeType

    assert typing.get_args(RenderModeType) == ("", "terminal", "rgb_array", "window")
