"""Metrics of a cluster's services as they are now: from their own pages, or from the Prometheus that reads them."""

import json
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from srl.utils.usage import UsageError

TIMEOUT_S = 3.0
PORT = 9100
"""Where services serve their pages when nothing else is said."""
NAMES = ("memory", "learner", "actor")
"""How services are called in the network of a cluster of containers."""
_ALL = '{__name__=~"srl_.+"}'

Labels = frozenset[tuple[str, str]]


@dataclass
class Page:
    """What one service says of itself."""

    address: str
    error: str = ""
    """Why it does not answer."""
    values: dict[str, dict[Labels, float]] = field(default_factory=dict)
    """By metric and labels."""
    at_s: float = 0.0
    """When, on a clock that the reader chooses."""

    @property
    def name(self) -> str:
        """The service's own name, its address as long as it is not known."""
        return self.label("srl_build_info", "name") or self.address

    @property
    def job(self) -> str:
        """What it works for, "" while it is idle."""
        return next((job for metric in self.values if (job := self.label(metric, "srl_job"))), "")

    @property
    def kind(self) -> str:
        """actor, memory or learner."""
        for metric, kind in {"srl_env_steps_total": "actor", "srl_train_calls_total": "learner"}.items():
            if metric in self.values:
                return kind
        return "memory" if "srl_memory_length_items" in self.values else self.name.partition("-")[0]

    def value(self, metric: str) -> float | None:
        """Return the sum over all labels; None when there is no such metric."""
        found = self.values.get(metric)
        return sum(found.values()) if found else None

    def label(self, metric: str, label: str) -> str:
        """Return a label's value of the first series, "" for none."""
        series = next(iter(self.values.get(metric, {})), frozenset())
        return dict(series).get(label, "")

    def add(self, metric: str, labels: dict[str, str], value: float) -> None:
        self.values.setdefault(metric, {})[frozenset(labels.items())] = value


def resolve(addresses: Iterable[str]) -> list[str]:
    """Return every host:port that the names stand for: of scaled actors one name has many addresses.

    Raises UsageError for a name that is not known.
    """
    found: dict[str, None] = {}
    for address in addresses:
        host, colon, port = address.strip().rpartition(":")
        host, port = (host, port) if colon else (port, str(PORT))
        try:
            hosts = socket.gethostbyname_ex(host)[2]
            found |= dict.fromkeys(f"{each}:{int(port)}" for each in hosts)
        except (OSError, ValueError) as error:
            raise UsageError(f"--pages {address}: {error}: write host:port, separated by commas") from None
    return list(found)


def known_names() -> list[str]:
    """Return those of the usual names of services that are known here, as in the network of the containers."""
    return [name for name in NAMES if _is_known(name)]


def _is_known(name: str) -> bool:
    try:
        return bool(socket.gethostbyname(name))
    except OSError:
        return False


def read_pages(addresses: Iterable[str], at_s: float) -> list[Page]:
    """Return the pages of all addresses; of one that does not answer, why."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(lambda address: _read_page(address, at_s), addresses))


def _read_page(address: str, at_s: float) -> Page:
    try:
        text = _get(f"http://{address}/metrics")
    except OSError as error:
        return Page(address, str(getattr(error, "reason", error)))
    return parse(address, text, at_s)


def parse(address: str, text: str, at_s: float) -> Page:
    """Return what a page says; ours only."""
    from prometheus_client.parser import text_string_to_metric_families

    page = Page(address, at_s=at_s)
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name.startswith("srl_"):
                    page.add(sample.name, sample.labels, sample.value)
    except ValueError as error:
        page.error = f"no page of metrics: {error}"
    return page


def ask_prometheus(url: str, at_s: float) -> list[Page]:
    """Return what a Prometheus has of all services. Raises UsageError when it does not answer."""
    query = urllib.parse.urlencode({"query": _ALL})
    try:
        answer = json.loads(_get(f"{url.rstrip('/')}/api/v1/query?{query}"))
        series = answer["data"]["result"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "reason", error)
        raise UsageError(f"--prometheus {url} does not answer as a Prometheus does: {reason}") from None
    pages: dict[str, Page] = {}
    for each in series:
        _take(pages, each, at_s)
    return list(pages.values())


def _take(pages: dict[str, Page], series: dict[str, Any], at_s: float) -> None:
    labels = dict(series["metric"])
    address, metric = labels.pop("instance", "?"), labels.pop("__name__")
    page = pages.setdefault(address, Page(address, at_s=at_s))
    page.add(metric, labels, float(series["value"][1]))


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310  http is meant
            text: str = answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            raise OSError(f"HTTP {error.code}") from None
    return text
