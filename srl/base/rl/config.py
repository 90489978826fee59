"""Config: the hyperparameters of an algorithm, and what it asks of an environment."""

from __future__ import annotations

import copy
import inspect
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, cast

import numpy as np

from srl.base.define import PlayersType, RenderModeType, RLBaseTypes, SpaceTypes
from srl.base.rl.binding import Binding, bind
from srl.base.spaces.space import SpaceBase, SpaceEncodeOptions
from srl.utils.config_file import read_config, write_config
from srl.utils.device import tf_device, torch_device
from srl.utils.entry_point import load_module
from srl.utils.plain_data import TARGET, fields_to_plain, set_fields
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from srl.base.env.env_run import EnvRun
    from srl.base.rl.encoding import Encoding
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.processor import RLProcessor
    from srl.base.rl.rate_limit import RateLimit
    from srl.base.rl.trainer import RLTrainer
    from srl.base.rl.worker_run import WorkerRun

logger = logging.getLogger(__name__)

TActSpace = TypeVar("TActSpace")
TObsSpace = TypeVar("TObsSpace")


@dataclass
class RLConfig(ABC, Generic[TActSpace, TObsSpace]):
    """Base of configurations. A subclass is a dataclass whose fields all have defaults."""

    observation_mode: Literal["", "render_image", "both"] = ""
    """What the algorithm sees: the state (""), the environment's picture, or [picture, state]."""
    override_env_observation_type: SpaceTypes = SpaceTypes.UNKNOWN
    """What the numbers of the environment's box observation mean, when the environment says it wrongly."""
    override_observation_type: RLBaseTypes | str = RLBaseTypes.NONE
    """Use this type of observation in place of the algorithm's own."""
    override_action_type: RLBaseTypes | str = RLBaseTypes.NONE
    """Use this type of action in place of the algorithm's own."""
    action_division_num: int = 10
    """Into how many values a continuous action is divided when the algorithm wants discrete ones."""
    observation_division_num: int = 1000
    """Into how many values a continuous observation is divided when the algorithm wants discrete ones."""
    frameskip: int = 0
    """How many further environment steps repeat each action."""
    extend_worker: type[Any] | None = None
    """A subclass of ExtendWorker to put around the algorithm's worker."""
    processors: list[RLProcessor] = field(default_factory=list)
    """Applied to observations after the algorithm's own processors."""
    render_image_processors: list[RLProcessor] = field(default_factory=list)
    """Applied to `worker.render_image_state` after the algorithm's own processors."""
    enable_rl_processors: bool = True
    """Apply the algorithm's own processors."""
    enable_state_encode: bool = True
    """Turn observations into the algorithm's type. False: it gets them as they are."""
    enable_action_decode: bool = True
    """Turn the algorithm's actions into the environment's. False: it returns the environment's own."""
    window_length: int = 1
    """How many of the last observations make a state."""
    render_image_window_length: int = 1
    """How many of the last pictures make a `render_image_state`."""
    state_encode_options: SpaceEncodeOptions | None = None
    action_decode_options: SpaceEncodeOptions | None = None
    reward_scale: float = 1.0
    """The algorithm's reward is (reward + reward_shift) * reward_scale."""
    reward_shift: float = 0
    render_last_step: bool = True
    """Draw one more time when the episode is over."""
    render_rl_image: bool = True
    """Show an image-like state of the algorithm in pictures of a run."""
    render_rl_image_size: tuple[int, int] = (128, 128)
    """(width, height) of that image in pixels."""
    enable_sanitize: bool = True
    """Repair values that are not in their space (type, shape, range) at the cost of some time."""
    enable_assertion: bool = False
    """Raise AssertionError for values that are not in their space. It is for debugging, and slow."""
    dtype: str = "float32"
    """The name of the floating point type of networks and states."""

    _binding: Binding | None = field(default=None, init=False, repr=False, compare=False)
    _observation_space: SpaceBase[Any] | None = field(default=None, init=False, repr=False, compare=False)
    _action_space: SpaceBase[Any] | None = field(default=None, init=False, repr=False, compare=False)
    _device: str = field(default="AUTO", init=False, repr=False, compare=False)

    # --- to define

    @abstractmethod
    def get_name(self) -> str:
        """Return the name of the algorithm, unique among the registered."""
        raise NotImplementedError

    @abstractmethod
    def get_base_action_type(self) -> RLBaseTypes:
        """Return the type of actions the algorithm chooses; `A | B` means either."""
        raise NotImplementedError

    @abstractmethod
    def get_base_observation_type(self) -> RLBaseTypes:
        """Return the type of states the algorithm takes; `A | B` means either."""
        raise NotImplementedError

    # --- to define if needed

    def get_framework(self) -> str:
        """Return "", "torch" or "tensorflow"."""
        return ""

    def validate_params(self) -> None:
        """Raise ValueError or AssertionError for values that cannot be. Call `super().validate_params()`."""
        for name in ("window_length", "render_image_window_length"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{type(self).__name__}.{name} is {getattr(self, name)}; it must be 1 or more")

    def setup_from_env(self, env: EnvRun) -> None:
        """Adapt to the environment. Spaces are known."""

    def setup_from_actor(self, actor_num: int, actor_id: int) -> None:
        """Adapt to being actor `actor_id` (from 0) of `actor_num`, in distributed training."""

    def get_processors(self, prev_observation_space: SpaceBase[Any]) -> list[RLProcessor]:
        """Return the processors of observations."""
        return []

    def use_backup_restore(self) -> bool:
        """Tell whether the algorithm needs the environment's backup and restore, as tree search does."""
        return False

    def use_render_image_state(self) -> bool:
        """Tell whether `worker.render_image_state` is to hold the environment's picture."""
        return False

    def get_render_image_processors(self, prev_observation_space: SpaceBase[Any]) -> list[RLProcessor]:
        """Return the processors of `worker.render_image_state`."""
        return []

    def override_env_render_mode(self) -> RenderModeType:
        """Return the way of drawing that the environment must be set up for, or "" for any."""
        return ""

    def use_update_parameter_from_worker(self) -> bool:
        """Tell whether the Worker changes the Parameter too, which distributed training then collects."""
        return False

    def get_changeable_parameters(self) -> list[str]:
        """Return the names of the fields that may change between runs with one parameter."""
        return []

    def get_rate_limit(self) -> RateLimit | None:
        """Return how often experience is to be sampled in distributed training; None: as often as it comes."""
        return None

    def get_base_action_type_options(self) -> SpaceEncodeOptions:
        """Return how action values are formed."""
        return SpaceEncodeOptions(cast=True)

    def get_base_observation_type_options(self) -> SpaceEncodeOptions:
        """Return how state values are formed."""
        return SpaceEncodeOptions(cast=True)

    # --- setup

    def setup(self, env: EnvRun, enable_log: bool = True) -> None:
        """Meet the environment: settle spaces and conversions, validate. A second call does nothing.

        Raises NotSupportedError when environment and algorithm do not fit, UsageError when the class is not
        a dataclass.
        """
        if self._binding is not None:
            return
        self._require_dataclass()
        binding = bind(self, env)
        self._observation_space = binding.observation.space
        self._action_space = binding.action.space
        self._validate_all()
        self._binding = binding
        self.setup_from_env(env)
        if enable_log:
            logger.info("%s in %s: %s -> %s", self.name, env.name, self._observation_space, self._action_space)

    def is_setup(self) -> bool:
        return self._binding is not None

    def set_observation_space(self, space: SpaceBase[Any]) -> None:
        """Give the state space by hand, for use without an environment."""
        self._observation_space = space

    def set_action_space(self, space: SpaceBase[Any]) -> None:
        """Give the action space by hand, for use without an environment."""
        self._action_space = space

    @property
    def name(self) -> str:
        """The name that the algorithm is registered under: `name`, or `name:framework`."""
        framework = self.get_framework()
        return f"{self.get_name()}:{framework}" if framework else self.get_name()

    @property
    def binding(self) -> Binding:
        """What setup settled. Raises UsageError before."""
        if self._binding is None:
            raise self._not_set_up()
        return self._binding

    @property
    def observation_space(self) -> TObsSpace:
        """The space of states."""
        return cast("TObsSpace", self._space("_observation_space"))

    @property
    def observation_space_one_step(self) -> TObsSpace:
        """The space of one observation of the window."""
        return cast("TObsSpace", self.binding.observation.one_step_space)

    @property
    def observation_type(self) -> RLBaseTypes:
        return self.binding.observation.base_type

    @property
    def observation_space_of_env(self) -> SpaceBase[Any]:
        """The space of observations after processors, before the change of type."""
        return self.binding.observation.env_space

    @property
    def action_space(self) -> TActSpace:
        """The space of the algorithm's actions."""
        return cast("TActSpace", self._space("_action_space"))

    @property
    def action_type(self) -> RLBaseTypes:
        return self.binding.action.base_type

    @property
    def action_space_of_env(self) -> SpaceBase[Any]:
        return self.binding.action.env_space

    @property
    def obs_render_img_space(self) -> SpaceBase[Any]:
        """The space of `worker.render_image_state`. Raises UsageError unless the algorithm uses it."""
        return self._render_image().space

    @property
    def obs_render_img_space_one_step(self) -> SpaceBase[Any]:
        """The space of one picture of the window. Raises UsageError unless the algorithm uses it."""
        return self._render_image().one_step_space

    @property
    def request_env_render(self) -> RenderModeType:
        """The way of drawing that the environment must be set up for, or ""."""
        needs_picture = self.observation_mode != "" or self.use_render_image_state()
        return self.override_env_render_mode() or ("rgb_array" if needs_picture else "")

    def use_device(self, device: str) -> None:
        """Choose where networks are computed, as `RunContext.device` names it. Call it before the makers."""
        self._device = device

    @property
    def used_device_torch(self) -> str:
        """PyTorch's name of the device that networks are computed on, such as "cpu" or "cuda"."""
        return torch_device(self._device)

    @property
    def used_device_tf(self) -> str:
        """TensorFlow's name of the device that networks are computed on, such as "/CPU" or "/GPU:0"."""
        return tf_device(self._device)

    # --- conversions

    def state_encode_one_step(self, env_state: Any, env: EnvRun) -> Any:
        """Return the algorithm's form of one observation (of the picture, where it sees pictures)."""
        observe = self.binding.observe
        return self.binding.encode_state(env_state if observe is None else observe(env))

    def action_encode(self, env_action: Any) -> Any:
        """Return the algorithm's form of an environment's action."""
        return self.binding.encode_action(env_action)

    def action_decode(self, rl_action: Any) -> Any:
        """Return the environment's form of an algorithm's action."""
        return self.binding.decode_action(rl_action)

    def render_image_state_encode_one_step(self, env: EnvRun) -> Any:
        """Return the environment's picture after processors."""
        return cast("Any", self.binding.encode_render_image)(env.render_rgb_array())

    # --- makers

    def make_memory(self, env: EnvRun | None = None) -> RLMemory[Any]:
        """Make the registered Memory. Without `env`, setup must have been called."""
        from srl.base.rl import registration

        return registration.make_memory(self, env)

    def make_parameter(self, env: EnvRun | None = None) -> RLParameter[Any]:
        """Make the registered Parameter. Without `env`, setup must have been called."""
        from srl.base.rl import registration

        return registration.make_parameter(self, env)

    def make_trainer(
        self, parameter: RLParameter[Any], memory: RLMemory[Any], env: EnvRun | None = None
    ) -> RLTrainer[Any, Any, Any]:
        """Make the registered Trainer. Without `env`, setup must have been called."""
        from srl.base.rl import registration

        return registration.make_trainer(self, parameter, memory, env)

    def make_worker(
        self, env: EnvRun, parameter: RLParameter[Any] | None = None, memory: RLMemory[Any] | None = None
    ) -> WorkerRun:
        """Make the registered Worker, ready to play in `env`."""
        from srl.base.rl import registration

        return registration.make_worker(self, env, parameter, memory)

    def make_workers(
        self,
        players: PlayersType,
        env: EnvRun,
        parameter: RLParameter[Any] | None = None,
        memory: RLMemory[Any] | None = None,
        main_worker: WorkerRun | None = None,
    ) -> tuple[list[WorkerRun], int]:
        """Make a worker for each player; the second value is the index of this algorithm's own."""
        from srl.base.rl import players as p

        return p.make_workers(players, env, self, parameter, memory, main_worker)

    # --- copies and files

    def copy(self, reset_env_config: bool = False) -> Self:
        """Return an independent copy; with `reset_env_config` it can meet another environment."""
        new = type(self)()
        for name, value in vars(self).items():
            object.__setattr__(new, name, value if name == "_binding" else copy.deepcopy(value))
        if reset_env_config:
            new._binding = new._observation_space = new._action_space = None  # noqa: SLF001  a copy of self
        return new

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data, see srl.utils.plain_data.

        Raises UsageError that names a field whose value has no such form.
        """
        return fields_to_plain(self)

    def apply_dict(self, plain: Mapping[str, Any]) -> Self:
        """Set fields from plain data. Raises UsageError for an unknown name."""
        set_fields(self, dict(plain))
        return self

    def save(self, path: str | Path) -> None:
        """Write the fields to a .yaml or .json file."""
        write_config(path, self.to_dict())

    @staticmethod
    def load(path_or_dict: str | Path | Mapping[str, Any]) -> RLConfig[Any, Any]:
        """Return the configuration that `save` wrote or `to_dict` returned, of the class named in it.

        It imports that class: load only files that you trust as code. Raises UsageError when there is none.
        """
        plain = path_or_dict if isinstance(path_or_dict, Mapping) else read_config(path_or_dict)
        cls = load_module(plain.get(TARGET, ""))
        if not (isinstance(cls, type) and issubclass(cls, RLConfig)):
            raise UsageError(f"'{plain[TARGET]}' is no RLConfig")
        return cls().apply_dict(plain)

    def get_metadata(self) -> dict[str, Any]:
        """Return what the class says of itself."""
        return {
            "name": self.name,
            "framework": self.get_framework(),
            "base_action_type": str(self.get_base_action_type()),
            "base_observation_type": str(self.get_base_observation_type()),
            "setup": self.is_setup(),
        }

    def summary(self) -> None:
        """Print the fields."""
        print(f"--- {type(self).__name__} ({self.name})")
        for name, value in fields_to_plain(self).items():
            print(f"{name}: {value}")

    def model_summary(self, **kwargs: Any) -> RLParameter[Any]:
        """Print the summary of a new parameter, and return it. Setup must have been called."""
        parameter = self.make_parameter()
        parameter.summary(**kwargs)
        return parameter

    def get_dtype(self, framework: Literal["np", "torch", "tf"]) -> Any:
        """Return `dtype` as a type of numpy or torch, or as a name ("tf"). Raises UsageError for others."""
        if framework == "np":
            return np.dtype(self.dtype).type
        if framework == "torch":
            return load_module(f"torch:{self.dtype}")
        if framework == "tf":
            return self.dtype
        raise UsageError(f"'{framework}' is not one of np, torch, tf")

    def __setattr__(self, name: str, value: Any) -> None:
        if self._binding is not None and not name.startswith("_"):
            logger.info("%s.%s changes after setup; spaces stay as they are", type(self).__name__, name)
        object.__setattr__(self, name, value)

    def _space(self, name: str) -> Any:
        space = getattr(self, name)
        if space is None:
            raise self._not_set_up()
        return space

    def _not_set_up(self) -> UsageError:
        return UsageError(f"{type(self).__name__} has not met an environment yet. Call setup(env) first.")

    def _render_image(self) -> Encoding:
        if self.binding.render_image is None:
            raise UsageError(f"{type(self).__name__}.use_render_image_state() is False: there is no picture")
        return self.binding.render_image

    def _validate_all(self) -> None:
        self.validate_params()
        for value in vars(self).values():
            if hasattr(value, "validate_params"):
                value.validate_params()

    def _require_dataclass(self) -> None:
        cls = type(self)
        undeclared = [name for name in inspect.get_annotations(cls) if name not in self.__dataclass_fields__]
        if undeclared:
            names = ", ".join(undeclared)
            raise UsageError(f"{cls.__name__} has fields ({names}) but is no dataclass: write @dataclass above it")


@dataclass
class DummyRLConfig(RLConfig[Any, Any]):
    """A configuration without an algorithm: for memories on their own, and for rule-based players."""

    name: str = "dummy"

    def get_name(self) -> str:
        return self.name

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.NONE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.NONE
