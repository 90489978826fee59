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
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from srl_common.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Kind = Literal["counter", "gauge", "histogram", "info"]
JOB_LABEL = "srl_job"
"""On every metric of ours: the job that the process works for. Without one, the label is left out."""


@dataclass(frozen=True)
class Definition:
    """One metric of a service.

    Its value is a number, for a histogram a `Histogram`. A labelled one has a dict from label value to that; "info"
    is a gauge that is always 1, whose value is a dict from label to text.
    """

    name: str
    kind: Kind
    help: str
    label: str = ""
    """Its label; of "info" all of them, separated by blanks."""


SERVICE = (
    Definition(
        "srl_build_info", "info", "Which software the service is, and its name.", "version protocol python name"
    ),
    Definition("srl_ready", "gauge", "1 while the service can do its work, as /readyz says."),
    Definition("srl_loop_age_seconds", "gauge", "Time since the loop last turned, which /healthz looks at."),
)
"""Of every service."""


ACTOR = (
    Definition("srl_env_steps_total", "counter", "Steps of the environment."),
    Definition("srl_episodes_total", "counter", "Episodes that ended."),
    Definition("srl_episode_reward", "histogram", "Sums of rewards of episodes. Sums may be negative: it has no sum."),
    Definition("srl_episode_reward_last", "gauge", "Sum of rewards of the last episode."),
    Definition("srl_episode_reward_mean", "gauge", "Mean sum of rewards of the last 100 episodes."),
    Definition("srl_policy_seconds", "histogram", "Time of a Worker's policy. Sampled: one step at a tick."),
    Definition("srl_env_step_seconds", "histogram", "Time of a step of the environment. Sampled: one step at a tick."),
    Definition("srl_items_sent_total", "counter", "Items handed to worker functions.", "endpoint"),
    Definition("srl_chunks_sent_total", "counter", "Chunks sent, without those sent again."),
    Definition("srl_chunks_resent_total", "counter", "Chunks sent again for want of an acknowledgement."),
    Definition("srl_chunks_unacked", "gauge", "Chunks under way without acknowledgement."),
    Definition("srl_chunk_items", "histogram", "Items of a chunk."),
    Definition("srl_chunk_bytes", "histogram", "About how many bytes a chunk has."),
    Definition("srl_credit_wait_seconds_total", "counter", "Time that worker functions waited for credit."),
    Definition("srl_parameter_epoch", "gauge", "Epoch of the parameter in use."),
    Definition("srl_parameter_version", "gauge", "Train count of the parameter in use."),
    Definition("srl_parameter_age_seconds", "gauge", "Time since the parameter in use was published."),
    Definition("srl_parameter_fetches_total", "counter", "Parameters fetched from the store."),
    Definition("srl_parameter_fetched_bytes_total", "counter", "Bytes of those."),
    Definition(
        "srl_parameter_fetch_seconds_total", "counter", "Time that fetching and decoding them took, beside acting."
    ),
    Definition("srl_parameter_fetch_failures_total", "counter", "Looks at the store that failed, to be tried again."),
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
    Definition("srl_memory_bytes", "gauge", "About how many bytes its items had when they came."),
    Definition("srl_inserted_items_total", "counter", "Items applied to the Memory.", "endpoint"),
    Definition("srl_applied_chunks_total", "counter", "Chunks applied to the Memory."),
    Definition("srl_duplicate_chunks_total", "counter", "Chunks that had been applied before, and were dropped."),
    Definition("srl_gap_chunks_total", "counter", "Chunks that came too early, and will be sent again."),
    Definition("srl_batches_total", "counter", "Batches made by recv functions.", "endpoint"),
    Definition("srl_batches_outstanding", "gauge", "Batches kept until a snapshot contains them."),
    Definition("srl_batches_outstanding_bytes", "gauge", "Bytes of those batches."),
    Definition("srl_memory_has_room", "gauge", "0 when actors wait because too much waits for the learner."),
    Definition("srl_updates_total", "counter", "Calls of trainer's send functions applied.", "endpoint"),
    Definition("srl_host_seconds_total", "counter", "Where the time of the host's loop went.", "phase"),
    Definition("srl_clients", "gauge", "Clients heard of lately.", "role"),
    Definition("srl_strangers_total", "counter", "Messages from clients that had not said Hello."),
    Definition("srl_refused_total", "counter", "Clients refused: another protocol, job, role or endpoint."),
    Definition("srl_undecodable_total", "counter", "Messages that were none."),
    Definition("srl_journal_bytes", "gauge", "Size of the journal since its checkpoint."),
    Definition("srl_journal_records_total", "counter", "Records written to the journal."),
    Definition("srl_journal_written_bytes_total", "counter", "Bytes of those records."),
    Definition("srl_journal_fsync_seconds", "histogram", "Time to force the journal to disk."),
    Definition("srl_journal_failures_total", "counter", "Writes that the disk refused."),
    Definition("srl_journal_disk_free_bytes", "gauge", "What is free on the disk of the journal."),
    Definition("srl_journal_disk_size_bytes", "gauge", "Size of that disk."),
    Definition("srl_checkpoints_total", "counter", "Checkpoints of the Memory."),
    Definition("srl_insecure_bind", "gauge", "1 when strangers may connect."),
    *FLOW,
)

LEARNER = (
    Definition("srl_training", "gauge", "1 while the learner trains; 0 before, and when the job is over."),
    Definition("srl_train_count_total", "counter", "What train_count has grown by since the process began."),
    Definition("srl_trainer_version", "gauge", "The Trainer's train_count, which goes on from a snapshot's."),
    Definition("srl_train_calls_total", "counter", "Calls of train()."),
    Definition(
        "srl_train_seconds", "histogram", "Time of an update: of train() by train_count. Sampled: one at a tick."
    ),
    Definition("srl_sample_wait_seconds_total", "counter", "Time that the learner waited for a batch."),
    Definition("srl_batches_taken_total", "counter", "Batches that the Trainer took."),
    Definition("srl_batches_waiting", "gauge", "Batches here that the Trainer has not taken yet.", "endpoint"),
    Definition("srl_update_wait_seconds_total", "counter", "Time that trainer's send functions waited for credit."),
    Definition("srl_updates_unacked", "gauge", "Calls of trainer's send functions without acknowledgement."),
    Definition("srl_memory_services_silent", "gauge", "Memory services that the learner has not heard of lately."),
    Definition("srl_epoch", "gauge", "The learner's fencing number."),
    Definition("srl_snapshot_take_seconds", "histogram", "Time that training stood still to copy the Parameter."),
    Definition("srl_snapshots_published_total", "counter", "Snapshots stored."),
    Definition("srl_snapshot_published_bytes_total", "counter", "Bytes of those."),
    Definition("srl_snapshot_publish_seconds_total", "counter", "Time that storing them took, beside training."),
    Definition("srl_snapshot_failures_total", "counter", "Snapshots that the store refused, to be tried again."),
    Definition("srl_snapshot_bytes", "gauge", "Size of the last snapshot."),
    Definition("srl_snapshot_version", "gauge", "Train count of the last snapshot that is stored."),
    Definition("srl_train_info", "gauge", "What the Trainer put into info, at most 32 names of it.", "name"),
)


class LoopCollector(Collector):
    """Turns the counters of a service's loop into metrics when scraped.

    Args:
        definitions: of the metrics.
        read: returns the values now, by name; one that is absent is left out.
        job: what the service works for, "" for nothing.
    """

    def __init__(self, definitions: Iterable[Definition], read: Callable[[], Mapping[str, Any]], job: str = "") -> None:
        self._definitions = tuple(definitions)
        self._read = read
        self._job = {JOB_LABEL: job} if job else {}

    def collect(self) -> Iterable[Metric]:
        """Yield one family a definition whose counter exists now."""
        values = self._read()
        for definition in self._definitions:
            if definition.name in values:
                yield self._family(definition, values[definition.name])

    def _family(self, definition: Definition, value: Any) -> Metric:
        if definition.kind == "info":
            return self._gauge(definition, {**self._job, **value})
        labels = [*self._job, *filter(None, [definition.label])]
        family: Metric = _FAMILIES[definition.kind](definition.name, definition.help, labels=labels)
        series = dict(value) if definition.label else {None: value}
        for label, number in series.items():
            texts = [*self._job.values(), *([] if label is None else [str(label)])]
            _add(family, texts, number)
        return family

    def _gauge(self, definition: Definition, labels: Mapping[str, str]) -> Metric:
        family = GaugeMetricFamily(definition.name, definition.help, labels=list(labels))
        family.add_metric(list(labels.values()), 1.0)
        return family


_FAMILIES: Mapping[str, Callable[..., Any]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


def _add(family: Any, labels: Sequence[str], value: Any) -> None:
    if isinstance(value, Histogram):
        bounds = [*map(repr, value.bounds), "+Inf"]
        family.add_metric(labels, list(zip(bounds, value.cumulative(), strict=True)), value.sum)
    else:
        family.add_metric(labels, float(value))


def make_registry(
    definitions: Iterable[Definition], read: Callable[[], Mapping[str, Any]], job: str = ""
) -> CollectorRegistry:
    """Return a registry of the service's own metrics and those of its process."""
    registry = CollectorRegistry()
    registry.register(LoopCollector(definitions, read, job))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry) -> bytes:
    """Return what a Prometheus server reads at /metrics."""
    return generate_latest(registry)
