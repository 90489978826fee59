"""Another name of srl.base.rl.config, for RLConfig."""

from __future__ import annotations

from srl.base.rl.config import DummyRLConfig, RLConfig

__all__ = ["DummyRLConfig", "RLConfig"]
