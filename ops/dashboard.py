"""Write the dashboard of Grafana, which asks: is it learning, and what holds it back? `python -m ops.dashboard`.

The first row is the answer, each row below is one place to look further. docs/monitoring.md says how to read it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ops.panels import DATASOURCE, NEUTRAL, Panel, Query, Row, layout

FILE = Path(__file__).parent / "grafana" / "dashboards" / "srl.json"

OF = '{srl_job=~"$job"}'
"""Picks the series of the chosen jobs..."""
OF_ACTOR = '{srl_job=~"$job", instance=~"$actor"}'
"""...and, of actors, those of the chosen ones."""
SERVICES = '{job=~"actor|memory|learner"}'
BUSY_BELOW = 0.3
"""A service that waits less than this part of its time holds nobody back."""
WORK, OTHER_WORK, WAIT, REST = "green", "yellow", "orange", "#808080"
"""What is done with time has one color everywhere."""


# --- expressions


def rate(counter: str, of: str = OF) -> str:
    """Return what a counter grows by in a second."""
    return f"rate({counter}{of}[$__rate_interval])"


def total(counter: str, by: str = "", of: str = OF) -> str:
    """Return that of all services together."""
    return f"sum by ({by}) ({rate(counter, of)})" if by else f"sum({rate(counter, of)})"


def per(counter: str, other: str, of: str = OF) -> str:
    """Return how much one counter grew for each by which the other did."""
    return f"{total(counter, of=of)} / {total(other, of=of)}"


def mean(histogram: str, of: str = OF) -> str:
    """Return the mean of what a histogram observed lately."""
    return per(f"{histogram}_sum", f"{histogram}_count", of)


def quantile(part: float, histogram: str, of: str = OF) -> str:
    """Return below what value that part of the observations was."""
    return f"histogram_quantile({part}, {total(histogram + '_bucket', 'le', of)})"


def share(seconds: str, of: str = OF) -> str:
    """Return the part of the time that a counter of seconds grows by, on average over the services."""
    return f"avg({rate(seconds, of)})"


def sampled_share(histogram: str, calls: str, of: str = OF) -> str:
    """Return the part of the time of what is only timed now and then: its mean time, by how often it is done."""
    return f"({mean(histogram, of)}) * {share(calls, of)}"


def host_share(phase: str) -> str:
    """Return the part of the time that the Memory's host spends in a phase of its loop."""
    return share("srl_host_seconds_total", f'{OF[:-1]}, phase="{phase}"}}')


def rest(*shares: str) -> str:
    """Return what is left of the time."""
    return f"clamp_min(1 - {' - '.join(shares)}, 0)"


def none_yet(expr: str) -> str:
    """Return the expression, or 0 where it has no series at all."""
    return f"{expr} or on () vector(0)"


ACTORS_WAIT = share("srl_credit_wait_seconds_total")
LEARNER_WAITS = share("srl_sample_wait_seconds_total")
LIMIT = (
    f"({ACTORS_WAIT} > bool {BUSY_BELOW}) * ({ACTORS_WAIT} > bool {LEARNER_WAITS})"
    f" + 2 * ({LEARNER_WAITS} > bool {BUSY_BELOW}) * ({LEARNER_WAITS} >= bool {ACTORS_WAIT})"
)
"""0: nobody waits, 1: the actors do, for the learner, 2: the learner does, for the actors."""

POLICY = sampled_share("srl_policy_seconds", "srl_env_steps_total", OF_ACTOR)
ENV = sampled_share("srl_env_step_seconds", "srl_env_steps_total", OF_ACTOR)
CREDIT = share("srl_credit_wait_seconds_total", OF_ACTOR)
TRAIN = sampled_share("srl_train_seconds", "srl_train_count_total")
COPY = share("srl_snapshot_take_seconds_sum")

ALERTS = (
    'max by (alertname, severity, job, instance, srl_job) (ALERTS{alertstate="firing"})'
    ' or on () label_replace(vector(1), "alertname", "none", "", "")'
)
"""A table of none is not empty: it says so."""


# --- panels


def stat(title: str, unit: str, width: int, expr: str, description: str, **looks: Any) -> Panel:
    return Panel("stat", title, description, unit, (Query(expr),), width, 5, **looks)


def graph(title: str, unit: str, description: str, *queries: tuple[str, str] | Query, **looks: Any) -> Panel:
    return Panel("graph", title, description, unit, _queries(queries), **looks)


def stack(title: str, description: str, *queries: tuple[str, str] | Query) -> Panel:
    return Panel("stack", title, description, "percentunit", _queries(queries))


def _queries(queries: tuple[tuple[str, str] | Query, ...]) -> tuple[Query, ...]:
    return tuple(query if isinstance(query, Query) else Query(*query) for query in queries)


ANSWER = Row(
    "Is it learning, and what holds it back?",
    (
        stat(
            "Reward", "short", 4, f"avg(srl_episode_reward_mean{OF})",
            "Mean of the last 100 episodes of each actor, averaged over actors.", decimals=1,
        ),
        stat("Env steps", "ops", 3, total("srl_env_steps_total"), "A second, of all actors."),
        stat("Updates", "ops", 3, total("srl_train_count_total"), "What train_count grows by in a second."),
        stat(
            "Actors", "short", 2, none_yet('count(up{job="actor"} == 1)'), "That answer.",
            limits=((0, "red"), (1, "green")),
        ),
        stat(
            "Limited by", "short", 4, LIMIT,
            "Who is waited for more than 30 % of the time. The learner: more actors do not help. The actors: more do.",
            texts=(("green", "nobody waits"), ("orange", "the learner"), ("orange", "the actors")),
        ),
        stat(
            "Actors wait", "percentunit", 3, ACTORS_WAIT,
            "Part of the actors' time in which they wait because the Memory takes no more.", limits=((0.3, "orange"),),
        ),
        stat(
            "Learner waits", "percentunit", 3, LEARNER_WAITS,
            "Part of the learner's time in which it waits for a batch.", limits=((0.3, "orange"),),
        ),
        stat(
            "Alerts", "short", 2, none_yet('count(ALERTS{alertstate="firing"})'),
            "How many fire now. The row Errors has them one by one.", limits=((1, "red"),),
        ),
    ),
)  # fmt: skip

REWARD = Row(
    "Reward",
    (
        graph(
            "Reward of episodes", "short", "Mean of the last 100 episodes, by actor, and over all actors.",
            Query(f"avg(srl_episode_reward_mean{OF_ACTOR})", "all actors", NEUTRAL, line_width=3),
            (f"srl_episode_reward_mean{OF_ACTOR}", "{{instance}}"),
            width=12, floor=None,
        ),
        Panel(
            "heatmap", "Distribution of rewards",
            "How many episodes a second end with which reward. Buckets grow with the distance from 0.",
            "short", (Query(total("srl_episode_reward_bucket", "le", OF_ACTOR), "{{le}}"),),
            width=12,
        ),
        graph("Episodes", "ops", "Those that ended, a second.", (total("srl_episodes_total", of=OF_ACTOR), "episodes")),
        graph(
            "Length of episodes", "short", "Steps of an episode, on average: steps by episodes.",
            (per("srl_env_steps_total", "srl_episodes_total", OF_ACTOR), "steps"),
        ),
        graph(
            "What the Trainer says", "short", "The numbers that the algorithm puts into info: losses, rates.",
            (f"srl_train_info{OF}", "{{name}}"), floor=None,
        ),
    ),
)  # fmt: skip

RATES = Row(
    "Rates",
    (
        graph(
            "Env steps by actor", "ops", "One that is far below the others sits on a busy machine.",
            (total("srl_env_steps_total", "instance", OF_ACTOR), "{{instance}}"),
        ),
        graph(
            "Updates", "ops", "Growth of train_count. Calls are those of train(), also those that found no batch.",
            (total("srl_train_count_total"), "updates"), (total("srl_train_calls_total"), "calls"),
        ),
        graph(
            "Into and out of the Memory", "ops",
            "Items that came in, batches that were made, and calls of the Trainer's send functions, a second.",
            (total("srl_inserted_items_total", "endpoint"), "insert: {{endpoint}}"),
            (total("srl_batches_total", "endpoint"), "batch: {{endpoint}}"),
            (none_yet(total("srl_updates_total", "endpoint")), "update: {{endpoint}}"),
        ),
    ),
)  # fmt: skip

TIME = Row(
    "Where time goes",
    (
        stack(
            "Actors",
            "On average over the actors. Policy and environment are timed one step in a while. The rest is what the "
            "Worker does after a step, resets, sending and taking up parameters.",
            Query(POLICY, "policy", WORK), Query(ENV, "environment", OTHER_WORK),
            Query(CREDIT, "waiting for credit", WAIT), Query(rest(POLICY, ENV, CREDIT), "rest", REST),
        ),
        stack(
            "Learner",
            "Training is timed one update in a while. Copying is the time that training stands still for a snapshot; "
            "storing it happens beside training. The rest is mostly handing over batches.",
            Query(TRAIN, "training", WORK), Query(COPY, "copying the parameter", OTHER_WORK),
            Query(LEARNER_WAITS, "waiting for batches", WAIT), Query(rest(TRAIN, LEARNER_WAITS, COPY), "rest", REST),
        ),
        stack(
            "Memory service",
            "The loop of the Memory's host. Answers: sampling batches, and sending them and acknowledgements; chunks "
            "that were held back go in then, too. Upkeep: fsync, checkpoints. When it is never idle it is the "
            "bottleneck.",
            Query(host_share("actors"), "inserts", WORK), Query(host_share("answers"), "answers", OTHER_WORK),
            Query(host_share("learner"), "updates", NEUTRAL), Query(host_share("upkeep"), "upkeep", "purple"),
            Query(host_share("idle"), "idle", REST),
        ),
        graph(
            "Policy", "s", "Time of one policy: half of them, and all but 5 %, are faster.",
            (quantile(0.5, "srl_policy_seconds", OF_ACTOR), "median"),
            (quantile(0.95, "srl_policy_seconds", OF_ACTOR), "95 %"),
        ),
        graph(
            "Step of the environment", "s", "Time of one step: half of them, and all but 5 %, are faster.",
            (quantile(0.5, "srl_env_step_seconds", OF_ACTOR), "median"),
            (quantile(0.95, "srl_env_step_seconds", OF_ACTOR), "95 %"),
        ),
        graph(
            "Update", "s", "Time of one update: half of them, and all but 5 %, are faster.",
            (quantile(0.5, "srl_train_seconds"), "median"), (quantile(0.95, "srl_train_seconds"), "95 %"),
        ),
    ),
)  # fmt: skip

PRESSURE = Row(
    "Back-pressure: who waits for whom",
    (
        graph(
            "Waiting", "percentunit", "Actors for credit, the learner for batches and for room for its updates.",
            (total("srl_credit_wait_seconds_total", "instance", OF_ACTOR), "actor {{instance}}"),
            (LEARNER_WAITS, "learner: batches"),
            (share("srl_update_wait_seconds_total"), "learner: updates"),
        ),
        graph(
            "Under way", "short",
            "Chunks not acknowledged yet, those of them that are held back to keep the ratio, and batches that the "
            "Trainer has not taken yet.",
            (f"sum by (instance) (srl_chunks_unacked{OF_ACTOR})", "chunks of {{instance}}"),
            (f"sum(srl_held_chunks{OF})", "chunks held back"),
            (f"sum by (endpoint) (srl_batches_waiting{OF})", "batches: {{endpoint}}"),
        ),
        graph(
            "Memory full", "percentunit",
            "Part of the time in which it takes nothing more, because too much waits for the learner. Actors wait.",
            (f"max(1 - avg_over_time(srl_memory_has_room{OF}[$__rate_interval]))", "full"),
        ),
        graph(
            "Sent again, dropped, out of order", "ops",
            "Chunks sent again for want of an acknowledgement, that had arrived before, that came too early; a second.",
            (total("srl_chunks_resent_total"), "sent again"),
            (total("srl_duplicate_chunks_total"), "duplicates dropped"),
            (total("srl_gap_chunks_total"), "too early"),
        ),
        graph(
            "Size of chunks", "short", "Items of a chunk: half have fewer; all but 5 % have.",
            (quantile(0.5, "srl_chunk_items", OF_ACTOR), "median"),
            (quantile(0.95, "srl_chunk_items", OF_ACTOR), "95 %"),
        ),
        graph(
            "Bytes of chunks", "bytes", "Of one chunk: half have fewer; all but 5 % have.",
            (quantile(0.5, "srl_chunk_bytes", OF_ACTOR), "median"),
            (quantile(0.95, "srl_chunk_bytes", OF_ACTOR), "95 %"),
        ),
    ),
)  # fmt: skip

FRESHNESS = Row(
    "Ratio and staleness",
    (
        graph(
            "Samples per insert", "short", "Items handed out for each that came in, and what the limiter keeps it at.",
            (f"avg(srl_samples_per_insert{OF})", "actual"),
            (f"avg(srl_samples_per_insert_target{OF})", "target; 0: off"),
        ),
        graph(
            "Waiting for the ratio", "percentunit",
            "Part of the time in which chunks wait because actors are ahead, and in which the learner waits because "
            "it is ahead, or experience is too old.",
            (share("srl_inserts_wait_seconds_total"), "inserts"), (share("srl_batches_wait_seconds_total"), "batches"),
        ),
        graph(
            "Staleness", "short", "Updates since the parameter that experience was collected with, when it is sampled.",
            (f"avg(srl_staleness_mean_updates{OF})", "mean"), (f"max(srl_staleness_max_updates{OF})", "oldest"),
        ),
        graph(
            "Ahead of the ratio", "short",
            "Items handed out beyond what the target allows; below 0: fewer. Between the tolerances, nobody waits.",
            (f"sum(srl_samples_ahead_items{OF})", "ahead"), (f"sum(srl_samples_tolerance_items{OF})", "tolerance"),
            floor=None,
        ),
        graph(
            "Samples and items too old", "ops", "Items handed out, and items left out because they came too late.",
            (total("srl_samples_total"), "handed out"), (total("srl_stale_items_total"), "left out"),
        ),
    ),
)  # fmt: skip

MEMORY = Row(
    "Memory and journal",
    (
        graph("Items", "short", "What length() of the Memory says.", (f"sum(srl_memory_length_items{OF})", "items")),
        graph(
            "Bytes", "bytes", "About what the items had on the wire, and batches kept until a snapshot contains them.",
            (f"sum(srl_memory_bytes{OF})", "items"), (f"sum(srl_batches_outstanding_bytes{OF})", "batches kept"),
        ),
        graph(
            "Journal", "bytes", "Its size since the last checkpoint. It falls with each checkpoint.",
            (f"sum by (instance) (srl_journal_bytes{OF})", "{{instance}}"),
        ),
        graph(
            "Bytes a second", "binBps", "What all actors send, and what is written to the journal.",
            (total("srl_chunk_bytes_sum", of=OF_ACTOR), "sent by actors"),
            (total("srl_journal_written_bytes_total"), "written to the journal"),
        ),
        graph(
            "Time to force it to disk", "s", "Of one fsync. Inserts wait for it: a slow disk is seen here.",
            (none_yet(f"({mean('srl_journal_fsync_seconds')}) >= 0"), "mean"),
        ),
        graph(
            "Free on its disk", "bytes", "When it is full, nothing is inserted, and nothing is lost.",
            (f"min(srl_journal_disk_free_bytes{OF})", "free"),
        ),
    ),
)  # fmt: skip

SNAPSHOTS = Row(
    "Snapshots",
    (
        graph(
            "Published and fetched", "ops", "By the learner, and by each actor on average, a second.",
            (total("srl_snapshots_published_total"), "published"),
            (share("srl_parameter_fetches_total", OF_ACTOR), "fetched by an actor"),
        ),
        graph(
            "Traffic of the store", "binBps", "What it takes in and gives out in a second.",
            (total("srl_snapshot_published_bytes_total"), "in"),
            (total("srl_parameter_fetched_bytes_total", of=OF_ACTOR), "out"),
        ),
        graph(
            "Time of one", "s",
            "Training stands still while it is copied. It is stored beside training, and fetched beside acting.",
            (mean("srl_snapshot_take_seconds"), "copying"),
            (per("srl_snapshot_publish_seconds_total", "srl_snapshots_published_total"), "storing"),
            (per("srl_parameter_fetch_seconds_total", "srl_parameter_fetches_total", OF_ACTOR), "fetching"),
        ),
        graph("Size", "bytes", "Of the last one.", (f"max(srl_snapshot_bytes{OF})", "bytes")),
        graph(
            "Age of the parameter in use", "s", "Time since it was published, by actor.",
            (f"max by (instance) (srl_parameter_age_seconds{OF_ACTOR})", "{{instance}}"),
        ),
        graph(
            "Actors behind the learner", "short",
            "Updates since the parameter was published that an actor plays with: its age times the rate of updates.",
            (f"srl_parameter_age_seconds{OF_ACTOR} * scalar({total('srl_train_count_total')})", "{{instance}}"),
        ),
    ),
)  # fmt: skip

ERRORS = Row(
    "Errors",
    (
        Panel(
            "table", "Alerts that fire", "What each means, and what to do, is in Prometheus, on its page Alerts.",
            "short", (Query(ALERTS),), width=24, height=6,
        ),
        graph(
            "Refused and strange", "ops", "Clients refused, messages of strangers, messages that are none, a second.",
            (total("srl_refused_total", of=""), "refused"), (total("srl_strangers_total", of=""), "strangers"),
            (total("srl_undecodable_total", of=""), "no message"),
            (total("srl_tunings_refused_total", of=""), "tunings refused"),
        ),
        graph(
            "Stores that refuse", "ops", "Writes that the journal's disk or the snapshot store refused, a second.",
            (total("srl_journal_failures_total"), "journal"),
            (total("srl_snapshot_failures_total"), "publishing"),
            (total("srl_parameter_fetch_failures_total"), "fetching"),
        ),
        graph(
            "Restarts", "short", "In 10 minutes: of the Memory's host, as actors noticed; of each kind of service.",
            (f"max(increase(srl_host_restarts_total{OF}[10m]))", "host, noticed by actors"),
            (f"sum by (job) (changes(process_start_time_seconds{SERVICES}[10m]))", "{{job}}"), decimals=0,
        ),
    ),
)  # fmt: skip

PROCESSES = Row(
    "Processes",
    (
        graph(
            "Processors", "short", "How many each service keeps busy. Near its limit, the machine is what limits.",
            (f"rate(process_cpu_seconds_total{SERVICES}[$__rate_interval])", "{{job}} {{instance}}"),
        ),
        graph(
            "Resident memory", "bytes", "Of each service. One that grows without end will be killed.",
            (f"process_resident_memory_bytes{SERVICES}", "{{job}} {{instance}}"),
        ),
        graph(
            "Age of the loop", "s", "Since the loop last turned; /healthz fails after 60 s.",
            (f"srl_loop_age_seconds{SERVICES}", "{{job}} {{instance}}"),
        ),
        graph(
            "Open files", "percentunit", "Part of what the process may have open.",
            (f"process_open_fds{SERVICES} / process_max_fds{SERVICES}", "{{job}} {{instance}}"),
        ),
        Panel(
            "table", "Services", "What runs: names are those in logs.", "short",
            (Query(f"max by (job, instance, name, version, protocol, python, srl_job) (srl_build_info{SERVICES})"),),
            width=16,
        ),
    ),
)  # fmt: skip

ROWS = (ANSWER, REWARD, RATES, TIME, PRESSURE, FRESHNESS, MEMORY, SNAPSHOTS, ERRORS, PROCESSES)


# --- the file


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana reads it."""
    return {
        "uid": "srl",
        "title": "SRL: is it learning, and what holds it back?",
        "description": "Made by `python -m ops.dashboard`. Edit ops/dashboard.py, not this.",
        "tags": ["srl"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                _variable("job", "Job", "label_values(srl_ready, srl_job)", NATURAL_DESCENDING),
                _variable("actor", "Actor", 'label_values(srl_env_steps_total{srl_job=~"$job"}, instance)', NATURAL),
            ]
        },
        "annotations": {"list": [_alerts()]},
        "panels": layout(ROWS),
    }


NATURAL, NATURAL_DESCENDING = 7, 8
"""How Grafana sorts a variable's values: job-9 before job-10, or after it."""


def _variable(name: str, label: str, query: str, sort: int) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"qryType": 1, "query": query, "refId": name},
        "refresh": 2,
        "sort": sort,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _alerts() -> dict[str, Any]:
    return {
        "name": "Alerts",
        "datasource": DATASOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": 'ALERTS{alertstate="firing"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{instance}}",
        "step": "10s",
    }


def text() -> str:
    """Return the file's content."""
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(f"wrote {FILE}")
