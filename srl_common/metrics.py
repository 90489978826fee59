"""Every metric: name, kind, labels, meaning. Values are plain counters of the loop, read when somebody scrapes.

The loop never touches the metrics library: a service hands over a function that returns its counters now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Kind = Literal["counter", "gauge"]


@dataclass(frozen=True)
class Definition:
    """One metric of a service. A labelled one has a dict from label value to number as its counter."""

    name: str
    kind: Kind
    help: str
    label: str = ""


ACTOR = (
    Definition("srl_env_steps_total", "counter", "Steps of the environment."),
    Definition("srl_episodes_total", "counter", "Episodes that ended."),
    Definition("srl_episode_reward_last", "gauge", "Sum of rewards of the last episode."),
    Definition("srl_items_sent_total", "counter", "Items handed to worker functions.", "endpoint"),
    Definition("srl_chunks_sent_total", "counter", "Chunks sent, without those sent again."),
    Definition("srl_chunks_resent_total", "counter", "Chunks sent again for want of an acknowledgement."),
    Definition("srl_chunks_unacked", "gauge", "Chunks under way without acknowledgement."),
    Definition("srl_credit_wait_seconds_total", "counter", "Time that worker functions waited for credit."),
    Definition("srl_parameter_epoch", "gauge", "Epoch of the parameter in use."),
    Definition("srl_parameter_train_count", "gauge", "Train count of the parameter in use."),
    Definition("srl_parameter_age_seconds", "gauge", "Time since the parameter in use was published."),
    Definition("srl_host_restarts_total", "counter", "Restarts of the Memory's host that were noticed."),
)

FLOW = (
    Definition("srl_samples_total", "counter", "Items handed out: batches times the Config's batch size."),
    Definition("srl_samples_per_insert", "gauge", "Items handed out for each item inserted, so far."),
    Definition("srl_samples_per_insert_target", "gauge", "What the limiter keeps that at; 0: it is off."),
    Definition("srl_samples_ahead_items", "gauge", "How many more items were handed out than that; below 0: fewer."),
    Definition("srl_samples_tolerance_items", "gauge", "How far that may be from 0."),
    Definition("srl_held_chunks", "gauge", "Chunks that wait because actors are too far ahead of the learner."),
    Definition("srl_inserts_wait_seconds_total", "counter", "Time in which chunks waited for that."),
    Definition(
        "srl_batches_wait_seconds_total",
        "counter",
        "Time in which the learner waited because it is too far ahead of the actors, or experience too old.",
    ),
    Definition("srl_staleness_mean_updates", "gauge", "How old experience was when it was last sampled, on average."),
    Definition("srl_staleness_max_updates", "gauge", "How old the oldest of it was."),
    Definition("srl_stale_items_total", "counter", "Items left out because they were too old when they arrived."),
    Definition("srl_tunings_refused_total", "counter", "Values that were to be changed while running, and are wrong."),
)
"""Of the Memory's host too: the ratio of samples to inserts, and how old experience is."""

HOST = (
    Definition("srl_memory_length_items", "gauge", "What the Memory's length() says."),
    Definition("srl_inserted_items_total", "counter", "Items applied to the Memory.", "endpoint"),
    Definition("srl_applied_chunks_total", "counter", "Chunks applied to the Memory."),
    Definition("srl_duplicate_chunks_total", "counter", "Chunks that had been applied before, and were dropped."),
    Definition("srl_gap_chunks_total", "counter", "Chunks that came too early, and will be sent again."),
    Definition("srl_batches_total", "counter", "Batches made by recv functions.", "endpoint"),
    Definition("srl_batches_outstanding", "gauge", "Batches kept until a snapshot contains them."),
    Definition("srl_batches_outstanding_bytes", "gauge", "Bytes of those batches."),
    Definition("srl_memory_has_room", "gauge", "0 when actors wait because too much waits for the learner."),
    Definition("srl_updates_total", "counter", "Calls of trainer's send functions applied.", "endpoint"),
    Definition("srl_clients", "gauge", "Clients heard of lately.", "role"),
    Definition("srl_strangers_total", "counter", "Messages from clients that had not said Hello."),
    Definition("srl_refused_total", "counter", "Clients refused: another protocol, job, role or endpoint."),
    Definition("srl_undecodable_total", "counter", "Messages that were none."),
    Definition("srl_journal_bytes", "gauge", "Size of the journal since its checkpoint."),
    Definition("srl_journal_records_total", "counter", "Records written to the journal."),
    Definition("srl_journal_failures_total", "counter", "Writes that the disk refused."),
    Definition("srl_checkpoints_total", "counter", "Checkpoints of the Memory."),
    Definition("srl_insecure_bind", "gauge", "1 when strangers may connect."),
    *FLOW,
)

LEARNER = (
    Definition("srl_train_count_total", "counter", "The Trainer's train_count."),
    Definition("srl_train_calls_total", "counter", "Calls of train()."),
    Definition("srl_sample_wait_seconds_total", "counter", "Time that the learner waited for a batch."),
    Definition("srl_epoch", "gauge", "The learner's fencing number."),
    Definition("srl_snapshots_published_total", "counter", "Snapshots stored."),
    Definition("srl_snapshot_failures_total", "counter", "Snapshots that the store refused, to be tried again."),
    Definition("srl_snapshot_bytes", "gauge", "Size of the last snapshot."),
    Definition("srl_snapshot_train_count", "gauge", "Train count of the last snapshot that is stored."),
    Definition("srl_train_info", "gauge", "What the Trainer put into info.", "name"),
)


class LoopCollector(Collector):
    """Turns the counters of a service's loop into metrics when scraped."""

    def __init__(self, definitions: Iterable[Definition], read: Callable[[], Mapping[str, Any]]) -> None:
        self._definitions = tuple(definitions)
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """Yield one family a definition whose counter exists now."""
        values = self._read()
        for definition in self._definitions:
            if definition.name in values:
                yield _family(definition, values[definition.name])


def _family(definition: Definition, value: Any) -> Metric:
    family = CounterMetricFamily if definition.kind == "counter" else GaugeMetricFamily
    if not definition.label:
        return family(definition.name, definition.help, value=float(value))
    metric = family(definition.name, definition.help, labels=[definition.label])
    for label, number in dict(value).items():
        metric.add_metric([str(label)], float(number))
    return metric


def make_registry(definitions: Iterable[Definition], read: Callable[[], Mapping[str, Any]]) -> CollectorRegistry:
    """Return a registry of the service's own metrics and those of its process."""
    registry = CollectorRegistry()
    registry.register(LoopCollector(definitions, read))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry) -> bytes:
    """Return what a Prometheus server reads at /metrics."""
    return generate_latest(registry)
