"""Environments: what an author writes (EnvBase), and what a run plays (EnvRun)."""

from srl.base.env.base import EnvBase

__all__ = ["EnvBase"]
