"""The actions that a person can choose among."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.define import RLBaseTypes
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun


class Choices:
    """The actions of an environment, numbered from 0.

    Numbers with fractions are divided into `division_num` values, all axes together. Raises UsageError for a
    `division_num` below 1, NotSupportedError for an action space that cannot be divided.
    """

    def __init__(self, env: EnvRun, division_num: int) -> None:
        if division_num < 1:
            raise UsageError(f"action_division_num is {division_num}; it must be 1 or more")
        self._env = env
        self._space = env.action_space.copy()
        self._space.create_division_tbl(division_num)
        numbers = self._space.set_encode_space(RLBaseTypes.DISCRETE)
        self._numbers: list[int] = numbers.get_valid_actions()

    def valid(self) -> list[int]:
        """Return the numbers of the actions that the next player may choose now."""
        if not self._env.invalid_actions:
            return self._numbers
        return [number for number in self._numbers if is_valid(self._env, self.action(number))]

    def action(self, number: int) -> Any:
        """Return an action, as the environment wants it."""
        return self._space.decode_from_space(number)

    def name(self, number: int) -> str:
        """Return the name of an action."""
        return self._env.action_to_str(self.action(number))


def is_valid(env: EnvRun, action: Any) -> bool:
    """Tell whether the next player may choose this action now."""
    return not any(env.action_space.equal_val(action, invalid) for invalid in env.invalid_actions)
