"""Where a job stands, from what its services report to the board."""

from collections.abc import Mapping
from typing import Any

NAMES = ("updates", "env_steps", "episodes", "reward", "memory_length", "actors")


def of(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the values called `NAMES`; None for what nobody reports.

    Args:
        reports: by service, "learner" and "memory" or "memory-0", "memory-1", ...
    """
    learner = reports.get("learner", {})
    memories = [each for name, each in reports.items() if name.partition("-")[0] == "memory"]
    clients = [client for each in memories for client in each.get("clients", {}).values()]
    actors = [client for client in clients if client.get("role") == "actor"]
    return {
        "updates": learner.get("train_count"),
        "env_steps": _sum(actor.get("env_steps") for actor in actors),
        "episodes": _sum(actor.get("episodes") for actor in actors),
        "reward": _mean(actor.get("reward_mean") for actor in actors),
        "memory_length": _sum(each.get("host", {}).get("memory_length") for each in memories),
        "actors": len(actors) if memories else None,
    }


def _sum(values: Any) -> float | None:
    found = [value for value in values if value is not None]
    return sum(found) if found else None


def _mean(values: Any) -> float | None:
    found = [float(value) for value in values if value is not None]
    return sum(found) / len(found) if found else None
