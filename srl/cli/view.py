"""What `srl top` knows: a cluster's rates, queues, ages and errors, and who waits for whom."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from srl.cli.output import ago_text, number_text
from srl.cli.pages import Page

RATE_WINDOW_S = 10.0
REWARDS_KEPT = 120
WAITS_LITTLE = 0.1
"""A share of time: whoever waits less is not said to wait."""
STALLED_AFTER_S = 10.0
TROUBLES = {
    "srl_snapshot_failures_total": "snapshots that the store refused",
    "srl_journal_failures_total": "writes to the journal that the disk refused",
    "srl_refused_total": "clients refused",
    "srl_undecodable_total": "messages that were none",
    "srl_tunings_refused_total": "values of srl tune refused",
}
"""Counters that should stand still."""


@dataclass(frozen=True)
class Row:
    """One service as a line of its table."""

    name: str
    cells: dict[str, float | None]


@dataclass
class Cluster:
    """A cluster, look after look: rates are over the last seconds.

    Sequence of calls: `note` for each look, then the properties.
    """

    pages: list[Page] = field(default_factory=list)
    rewards: deque[float] = field(default_factory=lambda: deque(maxlen=REWARDS_KEPT))
    """Mean over the actors, look after look."""
    _seen: dict[tuple[str, str], deque[tuple[float, float]]] = field(default_factory=dict)
    _troubles: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    """By service and counter: its value, and when it last grew."""

    def note(self, pages: list[Page]) -> None:
        """Take in what the services say now."""
        self.pages = sorted(pages, key=lambda page: (page.kind, page.name))
        for page in self.pages:
            for metric in page.values:
                self._note_value(page, metric)
        rewards = [value for page in self._of("actor") if (value := reward(page)) is not None]
        if rewards:
            self.rewards.append(sum(rewards) / len(rewards))

    def _note_value(self, page: Page, metric: str) -> None:
        if not metric.endswith("_total"):
            return
        value = page.value(metric) or 0.0
        seen = self._seen.setdefault((page.address, metric), deque())
        if seen and value < seen[-1][1]:
            seen.clear()  # started anew
        seen.append((page.at_s, value))
        while len(seen) > 2 and seen[1][0] < page.at_s - RATE_WINDOW_S:
            seen.popleft()
        if metric in TROUBLES and value > self._troubles.get((page.name, metric), (0.0, 0.0))[0]:
            self._troubles[page.name, metric] = (value, page.at_s)

    def rate(self, page: Page, metric: str) -> float | None:
        """Return how much a counter grows a second; None before that is known."""
        seen = self._seen.get((page.address, metric), deque())
        if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
            return None
        return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])

    # --- what is shown

    @property
    def jobs(self) -> list[str]:
        return sorted({page.job for page in self.pages if page.job})

    @property
    def actors(self) -> list[Row]:
        return [
            Row(
                page.name,
                {
                    "steps/s": self.rate(page, "srl_env_steps_total"),
                    "episodes": page.value("srl_episodes_total"),
                    "reward": reward(page),
                    "waits %": percent(self.rate(page, "srl_credit_wait_seconds_total")),
                    "unacked": page.value("srl_chunks_unacked"),
                    "age s": page.value("srl_parameter_age_seconds"),
                    "resent": page.value("srl_chunks_resent_total"),
                },
            )
            for page in self._of("actor")
        ]

    @property
    def memories(self) -> list[Row]:
        return [
            Row(
                page.name,
                {
                    "items": page.value("srl_memory_length_items"),
                    "size": page.value("srl_memory_bytes"),
                    "inserts/s": self.rate(page, "srl_inserted_items_total"),
                    "batches/s": self.rate(page, "srl_batches_total"),
                    "ratio": page.value("srl_samples_per_insert"),
                    "target": page.value("srl_samples_per_insert_target"),
                    "stale": page.value("srl_staleness_mean_updates"),
                    "held": page.value("srl_held_chunks"),
                    "kept": page.value("srl_batches_outstanding"),
                    "journal": page.value("srl_journal_bytes"),
                },
            )
            for page in self.pages
            if "srl_memory_length_items" in page.values
        ]

    @property
    def learners(self) -> list[Row]:
        return [
            Row(
                page.name,
                {
                    "updates/s": self.rate(page, "srl_train_count_total"),
                    "updates": page.value("srl_trainer_version"),
                    "waits %": percent(self.rate(page, "srl_sample_wait_seconds_total")),
                    "ready": page.value("srl_batches_waiting"),
                    "snapshot": page.value("srl_snapshot_version"),
                    "size": page.value("srl_snapshot_bytes"),
                    "published": page.value("srl_snapshots_published_total"),
                },
            )
            for page in self._of("learner")
        ]

    @property
    def idle(self) -> list[str]:
        """Names of services that answer, and wait for a job."""
        return [page.name for page in self.pages if not page.error and not page.job]

    @property
    def waiting(self) -> str:
        """Who waits for whom, in a sentence."""
        actors = _mean(row.cells["waits %"] for row in self.actors)
        learners = _mean(row.cells["waits %"] for row in self.learners)
        if actors is None or learners is None:
            return "who waits for whom is not known yet"
        if max(actors, learners) < 100 * WAITS_LITTLE:
            return f"nobody waits much (actors {actors:.0f} %, learner {learners:.0f} % of the time)"
        if learners >= actors:
            held = self._held("srl_batches_wait_seconds_total")
            hint = "the limiter holds it back: more actors would help, or a higher --samples-per-insert"
            return f"the learner waits {learners:.0f} % of the time; {hint if held else 'more actors would help'}"
        return f"the actors wait {actors:.0f} % of the time; {self._why_actors_wait()}"

    def _why_actors_wait(self) -> str:
        if self._held("srl_inserts_wait_seconds_total"):
            return "the limiter holds them back for the learner: fewer would do, or a lower --samples-per-insert"
        if any(page.value("srl_memory_has_room") == 0 for page in self.pages):
            return "too much waits for the learner: fewer actors would do"
        return "the memory service is busy"

    def _held(self, metric: str) -> bool:
        """Tell whether the limiter of a memory service makes somebody wait."""
        rates = [self.rate(page, metric) or 0.0 for page in self.pages if metric in page.values]
        return max(rates, default=0.0) > WAITS_LITTLE

    @property
    def errors(self) -> list[str]:
        """What is not as it should be, one line each."""
        silent = [f"{page.name} does not answer: {page.error}" for page in self.pages if page.error]
        stalled = [
            f"{page.name}: its loop has not turned for {ago_text(age_s)}"
            for page in self.pages
            if (age_s := page.value("srl_loop_age_seconds") or 0.0) > STALLED_AFTER_S
        ]
        now_s = max((page.at_s for page in self.pages), default=0.0)
        grown = [
            f"{name}: {number_text(value)} {TROUBLES[metric]}, the last {ago_text(now_s - at_s)} ago"
            for (name, metric), (value, at_s) in self._troubles.items()
        ]
        open_ones = [f"{page.name}: strangers may connect" for page in self.pages if page.value("srl_insecure_bind")]
        return [*silent, *stalled, *grown, *open_ones]

    def total(self, rows: Iterable[Row], cell: str) -> float | None:
        """Return the sum of a column; None when nobody has it."""
        found = [value for row in rows if (value := row.cells[cell]) is not None]
        return sum(found) if found else None

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        tables = {"actors": self.actors, "memories": self.memories, "learners": self.learners}
        return {
            "jobs": self.jobs,
            "waiting": self.waiting,
            "reward": self.rewards[-1] if self.rewards else None,
            **{name: {row.name: row.cells for row in rows} for name, rows in tables.items()},
            "idle": self.idle,
            "errors": self.errors,
        }

    def _of(self, kind: str) -> list[Page]:
        return [page for page in self.pages if page.kind == kind and page.job]


def reward(page: Page) -> float | None:
    """Return the mean reward of an actor's last episodes; None before the first has ended."""
    if not page.value("srl_episodes_total"):
        return None
    mean = page.value("srl_episode_reward_mean")
    return page.value("srl_episode_reward_last") if mean is None else mean


def percent(share: float | None) -> float | None:
    """Return a share of time in percent; clocks that are read one after the other may give a little more than all."""
    return None if share is None else min(100.0, 100.0 * share)


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None
