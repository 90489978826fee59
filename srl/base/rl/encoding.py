"""How values of an environment become values of an algorithm, and back: settled once, at setup."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.define import RLBaseTypes, SpaceTypes
from srl.base.exception import NotSupportedError
from srl.base.spaces import flat
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.multi import MultiSpace

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl.base.env.env_run import EnvRun
    from srl.base.rl.config import RLConfig
    from srl.base.rl.processor import RLProcessor
    from srl.base.spaces.space import SpaceBase, SpaceEncodeOptions


@dataclass(frozen=True)
class Choice:
    """What decides the type that a space is turned into."""

    required: RLBaseTypes
    override: RLBaseTypes | str
    division_num: int
    options: SpaceEncodeOptions | None
    setting: str
    """The name of the override setting, for errors."""


@dataclass(frozen=True)
class Encoding:
    """The spaces of an algorithm in an environment, and the conversions between the two sides."""

    env_space: SpaceBase[Any]
    """The environment's space, the target of `decode`."""
    one_step_space: SpaceBase[Any]
    """The algorithm's space of one step."""
    space: SpaceBase[Any]
    """The algorithm's space: `one_step_space`, or a stack of it when there is a window."""
    base_type: RLBaseTypes
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    processors: list[RLProcessor] = field(default_factory=list)


def encode_space(env_space: SpaceBase[Any], choice: Choice, *, enabled: bool = True) -> Encoding:
    """Turn the environment's space into one of the type that the algorithm asks for.

    Raises NotSupportedError when the space has no form of any of the wanted types.
    """
    if not enabled:
        return Encoding(env_space, env_space, env_space, RLBaseTypes.NONE, flat.same, flat.same)
    base_type = choose_type(env_space, choice)
    if base_type in {RLBaseTypes.DISCRETE, RLBaseTypes.ARRAY_DISCRETE}:
        env_space.create_division_tbl(choice.division_num)
    space = env_space.set_encode_space(base_type, choice.options)
    return Encoding(env_space, space, space, base_type, env_space.encode_to_space, env_space.decode_from_space)


def choose_type(env_space: SpaceBase[Any], choice: Choice) -> RLBaseTypes:
    """Return the override, else the cheapest of the required types that the space can be turned into."""
    override = RLBaseTypes.from_str(choice.override)
    wanted = override if override is not RLBaseTypes.NONE else choice.required
    members = [m for m in RLBaseTypes.to_list(wanted) if m is not RLBaseTypes.NONE]
    if len(members) <= 1:
        return wanted
    for candidate in env_space.get_encode_list():
        if candidate in members:
            return candidate
    raise NotSupportedError(f"{env_space} cannot be turned into any of {wanted.name}. Set {choice.setting}.")


def apply_processors(
    space: SpaceBase[Any], processors: list[RLProcessor], env: EnvRun, config: RLConfig[Any, Any]
) -> tuple[SpaceBase[Any], list[RLProcessor], list[Callable[[Any], Any]]]:
    """Return the space after all processors, those that apply, and their functions on values in order."""
    applied: list[RLProcessor] = []
    remaps: list[Callable[[Any], Any]] = []
    for processor in [p.copy() for p in processors]:
        new_space = processor.remap_observation_space(space, env_run=env, rl_config=config)
        if new_space is None:
            continue
        applied.append(processor)
        remap = getattr(processor, "remap_observation", None)
        if remap is not None:
            remaps.append(_remap_with(remap, space, new_space, env, config))
        space = new_space
    return space, applied, remaps


def stacked(space: SpaceBase[Any], window_length: int) -> SpaceBase[Any]:
    """Return the space of `window_length` values of `space`, or `space` itself for a window of 1."""
    return space.create_stack_space(window_length) if window_length > 1 else space


def image_space(env: EnvRun) -> BoxSpace:
    """Return the space of the environment's picture, uint8 (height, width, 3), found by drawing one."""
    env.setup(render_mode="rgb_array")
    env.reset()
    image = env.render_rgb_array()
    if image is None:
        raise NotSupportedError(
            f"'{env.name}' draws no picture (render_rgb_array returned None), so observation_mode must be ''."
        )
    return BoxSpace(image.shape, 0, 255, np.uint8, SpaceTypes.RGB)


def image_and_observation(image: SpaceBase[Any], observation: SpaceBase[Any]) -> MultiSpace:
    """Return the space of [picture, observation]."""
    return MultiSpace([image, observation])


def chain(functions: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Return one function that applies all in order."""
    return functools.reduce(flat.chain, functions) if functions else flat.same


def checker(space: SpaceBase[Any], what: str, *, assertion: bool, sanitize: bool) -> list[Callable[[Any], Any]]:
    """Return the function that checks or repairs values of a space, or none."""
    if assertion:
        return [_assert_in(space, what)]
    return [flat.repair_to(space)] if sanitize else []


def _assert_in(space: SpaceBase[Any], what: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        assert space.check_val(value), f"{what} {value!r} is not in {space}"
        return value

    return check


def _remap_with(
    remap: Callable[..., Any],
    prev_space: SpaceBase[Any],
    new_space: SpaceBase[Any],
    env: EnvRun,
    config: RLConfig[Any, Any],
) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        return remap(value, prev_space, new_space, env_run=env, rl_config=config)

    return run
