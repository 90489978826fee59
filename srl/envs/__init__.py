"""The environments that come with the package, by id. A module is imported when its environment is made."""

from __future__ import annotations

from typing import Any

_EASY: dict[str, Any] = {"move_prob": 1.0, "move_reward": 0.0, "baseline": 0.9}

BUILT_IN: dict[str, tuple[str, dict[str, Any]]] = {
    "Grid": ("srl.envs.grid:Grid", {}),
    "Grid-layer": ("srl.envs.grid:GridLayer", {}),
    "EasyGrid": ("srl.envs.grid:Grid", _EASY),
    "EasyGrid-layer": ("srl.envs.grid:GridLayer", _EASY),
    "OX": ("srl.envs.ox:OX", {}),
    "OX-layer": ("srl.envs.ox:OXLayer", {}),
}
"""Id to ("module:Class", arguments of its constructor)."""
