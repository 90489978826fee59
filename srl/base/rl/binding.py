"""What a configuration knows once it has met its environment."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from srl.base.define import SpaceTypes
from srl.base.rl.encoding import (
    Choice,
    Encoding,
    apply_processors,
    chain,
    checker,
    encode_space,
    image_and_observation,
    image_space,
    stacked,
)
from srl.base.spaces.box import BoxSpace

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.config import RLConfig
    from srl.base.spaces.space import SpaceBase

logger = logging.getLogger(__name__)

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Binding:
    """The spaces and conversions of one configuration in one environment."""

    observation: Encoding
    action: Encoding
    render_image: Encoding | None
    encode_state: Convert
    """From what `observe` returns to the algorithm's state of one step."""
    observe: Callable[[EnvRun], Any] | None
    """What the algorithm sees of the environment; None: its state."""
    encode_action: Convert
    decode_action: Convert
    encode_render_image: Convert | None


def bind(config: RLConfig[Any, Any], env: EnvRun) -> Binding:
    """Settle the spaces and conversions. Raises NotSupportedError when the two do not fit."""
    if config.use_backup_restore():
        _try_backup_restore(config, env)
    observation, encode_state = _bind_observation(config, env)
    render_image, encode_render_image = _bind_render_image(config, env)
    action = encode_space(env.action_space.copy(), _action_choice(config), enabled=config.enable_action_decode)
    check_action = _checker(config, action.space, f"the action of '{config.get_name()}'")
    return Binding(
        observation=observation,
        action=action,
        render_image=render_image,
        encode_state=encode_state,
        observe=_observer(config),
        encode_action=chain([action.encode, *check_action]),
        decode_action=chain([*check_action, action.decode]),
        encode_render_image=encode_render_image,
    )


def _bind_observation(config: RLConfig[Any, Any], env: EnvRun) -> tuple[Encoding, Convert]:
    source = _source_space(config, env)
    processors = config.get_processors(source) if config.enable_rl_processors else []
    space, applied, remaps = apply_processors(source, [*processors, *config.processors], env, config)
    encoding = encode_space(space, _observation_choice(config), enabled=config.enable_state_encode)
    window = stacked(encoding.one_step_space, config.window_length)
    check = _checker(config, encoding.one_step_space, f"the state of '{env.name}'")
    return replace(encoding, space=window, processors=applied), chain([*remaps, encoding.encode, *check])


def _bind_render_image(config: RLConfig[Any, Any], env: EnvRun) -> tuple[Encoding | None, Convert | None]:
    if not config.use_render_image_state():
        return None, None
    source = image_space(env)
    processors = config.get_render_image_processors(source) if config.enable_rl_processors else []
    space, applied, remaps = apply_processors(source, [*processors, *config.render_image_processors], env, config)
    encoding = encode_space(space, _observation_choice(config), enabled=False)
    window = stacked(space, config.render_image_window_length)
    check = _checker(config, space, f"the picture of '{env.name}'")
    return replace(encoding, space=window, processors=applied), chain([*remaps, *check])


def _source_space(config: RLConfig[Any, Any], env: EnvRun) -> SpaceBase[Any]:
    if config.observation_mode == "render_image":
        return image_space(env)
    space = env.observation_space.copy()
    if config.override_env_observation_type is not SpaceTypes.UNKNOWN and isinstance(space, BoxSpace):
        space = space.copy(stype=config.override_env_observation_type)
    if config.observation_mode == "both":
        return image_and_observation(image_space(env), space)
    return space


def _observer(config: RLConfig[Any, Any]) -> Callable[[EnvRun], Any] | None:
    if config.observation_mode == "render_image":
        return lambda env: env.render_rgb_array()
    if config.observation_mode == "both":
        return lambda env: [env.render_rgb_array(), env.state]
    return None


def _observation_choice(config: RLConfig[Any, Any]) -> Choice:
    return Choice(
        required=config.get_base_observation_type(),
        override=config.override_observation_type,
        division_num=config.observation_division_num,
        options=config.state_encode_options or config.get_base_observation_type_options(),
        setting="override_observation_type",
    )


def _action_choice(config: RLConfig[Any, Any]) -> Choice:
    return Choice(
        required=config.get_base_action_type(),
        override=config.override_action_type,
        division_num=config.action_division_num,
        options=config.action_decode_options or config.get_base_action_type_options(),
        setting="override_action_type",
    )


def _checker(config: RLConfig[Any, Any], space: SpaceBase[Any], what: str) -> list[Convert]:
    return checker(space, what, assertion=config.enable_assertion, sanitize=config.enable_sanitize)


def _try_backup_restore(config: RLConfig[Any, Any], env: EnvRun) -> None:
    try:
        env.setup()
        env.reset()
        env.restore(env.backup())
    except Exception:
        logger.exception("'%s' needs backup and restore, which '%s' fails at", config.get_name(), env.name)
        raise
