"""Guards: what is done with values outside of their space: repair them, or raise an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from srl.base.exception import SRLError

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl.base.spaces.space import SpaceBase


class Guard(Protocol):
    """Sees every value between an environment and what plays it, and returns it, perhaps changed."""

    def action(self, action: Any) -> Any: ...
    def state(self, state: Any) -> Any: ...
    def rewards(self, rewards: list[Any]) -> list[float]: ...
    def flag(self, flag: Any) -> bool: ...
    def invalid_actions(self, invalid_actions: Any) -> list[Any]: ...


class SanitizeGuard:
    """Brings values into their space. Raises SRLError for values that have no place in it."""

    def __init__(self, env_name: str, action_space: SpaceBase[Any], observation_space: SpaceBase[Any]) -> None:
        self._env_name = env_name
        self._action_space = action_space
        self._observation_space = observation_space

    def action(self, action: Any) -> Any:
        return self._repair("action", self._action_space.sanitize, action)

    def state(self, state: Any) -> Any:
        return self._repair("state", self._observation_space.sanitize, state)

    def rewards(self, rewards: list[Any]) -> list[float]:
        return [self._repair("reward", float, reward) for reward in rewards]

    def flag(self, flag: Any) -> bool:
        return bool(flag)

    def invalid_actions(self, invalid_actions: Any) -> list[Any]:
        return [self._repair("invalid action", self._action_space.sanitize, a) for a in invalid_actions]

    def _repair(self, what: str, repair: Callable[[Any], Any], value: Any) -> Any:
        try:
            return repair(value)
        except (ValueError, TypeError) as err:
            raise SRLError(f"'{self._env_name}': {what} {value!r} cannot be repaired: {err}") from err


class AssertGuard:
    """Raises SRLError for every value that is not of its space."""

    def __init__(self, env_name: str, action_space: SpaceBase[Any], observation_space: SpaceBase[Any]) -> None:
        self._env_name = env_name
        self._action_space = action_space
        self._observation_space = observation_space

    def action(self, action: Any) -> Any:
        return self._expect_in(self._action_space, "action", action)

    def state(self, state: Any) -> Any:
        return self._expect_in(self._observation_space, "state", state)

    def rewards(self, rewards: list[Any]) -> list[float]:
        for reward in rewards:
            self._expect(isinstance(reward, float | int), f"reward {reward!r} is not a number")
        return rewards

    def flag(self, flag: Any) -> bool:
        self._expect(isinstance(flag, bool), f"terminated or truncated is {flag!r}, not a bool")
        return bool(flag)

    def invalid_actions(self, invalid_actions: Any) -> list[Any]:
        self._expect(isinstance(invalid_actions, list), f"invalid actions {invalid_actions!r} are not a list")
        return [self._expect_in(self._action_space, "invalid action", a) for a in invalid_actions]

    def _expect_in(self, space: SpaceBase[Any], what: str, value: Any) -> Any:
        self._expect(space.check_val(value), f"{what} {value!r} is not in {space}")
        return value

    def _expect(self, holds: bool, complaint: str) -> None:
        if not holds:
            raise SRLError(f"'{self._env_name}': {complaint}. (Checked because of EnvConfig.enable_assertion)")
