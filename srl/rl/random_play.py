"""A player that acts at random."""

from __future__ import annotations

from srl.base.rl.worker import DummyRLWorker


class Worker(DummyRLWorker):
    """Takes any valid action with the same probability."""
