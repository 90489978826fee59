"""Info: named values that are shown and logged beside the rewards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_SMALL = 10


class Info(dict[str, Any]):
    """A dict of names to numbers or texts, such as `info["loss"] = 0.1`."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return `values` as Info; an Info is returned itself."""
        return values if isinstance(values, cls) else cls(values)

    def set_dict(self, values: Mapping[str, Any]) -> None:
        """Set several values, like `update`."""
        self.update(values)

    def set_scalar(self, name: str, data: Any, data_type: str = "") -> None:
        """Set one value. `data_type` is for code that gives it: a value says itself what it is."""
        self[name] = data

    def to_dict(self) -> dict[str, Any]:
        """Return the values as a plain dict."""
        return dict(self)

    def copy(self) -> Self:
        return type(self)(self)

    def to_str(self) -> str:
        """Return "|name value" for each value: a float with 3 decimals within +-10, otherwise with 1."""
        return "".join(f"|{name} {_to_str(value)}" for name, value in self.items())


def _to_str(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < _SMALL else f"{value:.1f}"
    if isinstance(value, int):
        return f"{value:2d}"
    return str(value)
