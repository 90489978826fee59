"""Runner: one object that trains, evaluates and shows an algorithm in an environment."""

from srl.runner.runner import Runner

__all__ = ["Runner"]
