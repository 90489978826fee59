"""What a runner sees of a cluster, whether its services are children of this process or elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from services.snapshot import LearnerState
    from srl_common.messages import View


class ObservedCluster(Protocol):
    """Services that train: `LocalCluster` and `RemoteCluster` of `services.clusters`."""

    interrupt_text: str
    """What is said at Ctrl-C, before `drain`."""

    @property
    def view(self) -> View:
        """What the host of the Memory says of itself, and the counters of its clients."""

    @property
    def learner(self) -> dict[str, Any]:
        """The learner's counters as they were last seen."""

    @property
    def actors(self) -> dict[str, dict[str, Any]]:
        """The actors' counters by name, as they were last seen."""

    @property
    def end_reason(self) -> str:
        """Why training is over; "" while it goes on."""

    @property
    def restarts(self) -> int:
        """How many services were started anew."""

    @property
    def waiting(self) -> str:
        """What training waits for; "" while it goes on."""

    def watch(self, timeout_s: float) -> None:
        """Wait up to `timeout_s`, and take in what the cluster says. Raises ClusterError when it cannot go on."""

    def drain(self) -> None:
        """End training if it goes on, so that nothing of what was learned is lost."""

    def learner_state(self) -> LearnerState | None:
        """Return what the newest snapshot holds, None when there is none."""

    def worker_parameter(self) -> Any:
        """Return the backup of actor 0's own Parameter, None where it has handed none over."""

    def memory_checkpoint(self) -> dict[str, Any]:
        """Return the Memory's backup under "memory", None where there is none; training must have ended."""
