"""The environments that come with the package, by id. A module is imported when its environment is made."""

from __future__ import annotations

from typing import Any

_EASY: dict[str, Any] = {"move_prob": 1.0, "move_reward": 0.0, "baseline": 0.9}
_ROAD = (
    ".......",
    ".S    .",
    "..... .",
    ".G    .",
    ".......",
)
_HARD: dict[str, Any] = {"length": 20, "action_num": 16, "is_end": False}

BUILT_IN: dict[str, tuple[str, dict[str, Any]]] = {
    "Grid": ("srl.envs.grid:Grid", {}),
    "Grid-layer": ("srl.envs.grid:GridLayer", {}),
    "EasyGrid": ("srl.envs.grid:Grid", _EASY),
    "EasyGrid-layer": ("srl.envs.grid:GridLayer", _EASY),
    "GridOneRoad": ("srl.envs.grid:Grid", {**_EASY, "field": _ROAD}),
    "IGrid": ("srl.envs.igrid:IGrid", {}),
    "OX": ("srl.envs.ox:OX", {}),
    "OX-layer": ("srl.envs.ox:OXLayer", {}),
    "Othello": ("srl.envs.othello:Othello", {"size": 8}),
    "Othello-layer": ("srl.envs.othello:OthelloLayer", {"size": 8}),
    "Othello6x6": ("srl.envs.othello:Othello", {"size": 6}),
    "Othello6x6-layer": ("srl.envs.othello:OthelloLayer", {"size": 6}),
    "Othello4x4": ("srl.envs.othello:Othello", {"size": 4}),
    "Othello4x4-layer": ("srl.envs.othello:OthelloLayer", {"size": 4}),
    "connectx": ("srl.envs.connectx:ConnectX", {}),
    "connectx-layer": ("srl.envs.connectx:ConnectXLayer", {}),
    "StoneTaking": ("srl.envs.stone_taking:StoneTaking", {}),
    "OneRoad": ("srl.envs.one_road:OneRoad", {}),
    "OneRoad-hard": ("srl.envs.one_road:OneRoad", _HARD),
    "Tiger": ("srl.envs.tiger:Tiger", {}),
    "SampleEnv": ("srl.envs.sample_env:SampleEnv", {}),
}
"""Id to ("module:Class", arguments of its constructor)."""
