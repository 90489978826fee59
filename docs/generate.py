"""Write the pages that are made from the source: `python -m docs.generate`.

protocol.md from the catalogue of messages and the codec, operations.md from the settings, metrics.md from the metrics,
command_line.md from the help of the commands.
"""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docs import commands, source
from srl_common import codec, delivery, link, messages, metrics, settings, transport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

FOLDER = Path(__file__).parent
NOTICE = "<!-- Written by `make docs` from {source}. Edit that, not this. -->"
HOST_SENDS_TOO = frozenset({messages.Beat})
"""What no client may send comes from the host; a Beat goes both ways."""
UNITS = {
    "_s": "seconds",
    "_ms": "milliseconds",
    "_bytes": "bytes",
    "_items": "items",
    "_calls": "calls",
    "_batches": "batches",
}
METRIC_UNITS = {"_seconds": "seconds", "_bytes": "bytes", "_items": "items"}


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(FOLDER.parent)}")


def pages() -> Mapping[Path, str]:
    """Return the text of every generated page, by its path."""
    return {
        FOLDER / "protocol.md": protocol(),
        FOLDER / "operations.md": all_settings(),
        FOLDER / "metrics.md": all_metrics(),
        FOLDER / "command_line.md": command_line(),
    }


# --- the protocol


def protocol() -> str:
    return _page(
        NOTICE.format(source="srl_common/messages.py, codec.py, delivery.py, link.py and transport.py"),
        f"# The wire protocol, number {messages.PROTOCOL}",
        _docstring(messages),
        "Both sides must speak the same protocol number; it changes whenever bytes on the wire change.",
        "## Who may send what",
        _who_sends(),
        "## Messages",
        *map(_message, messages.CATALOGUE),
        "## Forms of a chunk",
        "`Call.form` names the layout of `Call.body`:",
        _table(["form", "`Call.body`"], [[_code(each.value), each.doc] for each in source.members(messages, "Form")]),
        *_encoding(),
        *_delivery(),
    )


def _who_sends() -> str:
    from_clients = frozenset[Any]().union(*messages.MAY_SEND.values())
    host = (frozenset(messages.CATALOGUE) - from_clients) | HOST_SENDS_TOO
    senders = {**{role.value: allowed for role, allowed in messages.MAY_SEND.items()}, "host": host}
    rows = [[sender, ", ".join(m.__name__ for m in messages.CATALOGUE if m in may)] for sender, may in senders.items()]
    return _table(["sender", "messages"], rows)


def _message(message: type[messages.Message]) -> str:
    number = messages.CATALOGUE.index(message)
    heading = f"### {number} {message.__name__}\n\n{_docstring(message)}"
    rows = [[_code(f.name), _code(f.type), f.doc] for f in source.members(messages, message.__name__)]
    return f"{heading}\n\n{_table(['field', 'type', 'meaning'], rows)}" if rows else heading


def _encoding() -> Iterable[str]:
    yield "## Encoding"
    yield _docstring(codec)
    yield f"`BUFFER_BYTES` is {codec.BUFFER_BYTES}. Extension types of msgpack, and what their bytes are:"
    rows = [[each.value, each.name, each.doc] for each in source.members(codec, "_Ext")]
    yield _table(["type", "name", "bytes"], rows)
    yield "### Limits of one message"
    docs = {each.name: each.doc for each in source.members(codec, "Limits")}
    values = {each.name: f"{getattr(codec.DEFAULT, each.name):,}" for each in fields(codec.Limits)}
    yield _table(["limit", "value", "of"], [[name, value, docs[name]] for name, value in values.items()])


def _delivery() -> Iterable[str]:
    yield "## Delivery"
    yield _docstring(delivery)
    yield _docstring(transport)
    yield "### Times and sizes"
    rows = [[_code(c.name), _number(module, c.name), c.doc] for module in (link, transport) for c in _numbers(module)]
    yield _table(["constant", "value", "meaning"], rows)


def _numbers(module: ModuleType) -> list[source.Named]:
    return [each for each in source.constants(module) if isinstance(getattr(module, each.name), int | float)]


def _number(module: ModuleType, name: str) -> str:
    return f"{getattr(module, name):,}"


# --- settings


def all_settings() -> str:
    return _page(
        NOTICE.format(source="srl_common/settings.py"),
        "# Settings of the services",
        _docstring(settings),
        "A flag wins over the environment, which wins over the default.",
        *_settings("All three services", settings.ServiceSettings),
        *_settings("Actor", settings.ActorSettings),
        *_settings("Host of the Memory: memory service, or learner", settings.HostSettings),
        *_settings("Memory service", settings.MemorySettings),
        *_settings("Learner", settings.LearnerSettings),
    )


def _settings(heading: str, kind: type[settings.ServiceSettings]) -> Iterable[str]:
    yield f"## {heading}"
    own = [each for each in fields(kind) if each.name in inspect.get_annotations(kind)]
    rows = [
        [_code(settings.variable(f.name)), _default(f.default), _values(f.name, f.metadata), f.metadata["help"]]
        for f in own
    ]
    yield _table(["variable", "default", "unit or values", "meaning"], rows)


def _default(value: Any) -> str:
    return _code(str(int(value)) if isinstance(value, bool) else str(value)) if value != "" else ""


def _values(name: str, metadata: Mapping[str, Any]) -> str:
    if metadata["choices"]:
        return ", ".join(map(_code, metadata["choices"]))
    unit = _unit(name, UNITS)
    minimum = "" if metadata["minimum"] is None else f"at least {metadata['minimum']:g}"
    return ", ".join(filter(None, [unit, minimum]))


# --- metrics


def all_metrics() -> str:
    return _page(
        NOTICE.format(source="srl_common/metrics.py"),
        "# Metrics of the services",
        "Each service serves them at `/metrics` on `SRL_METRICS_BIND`, beside the usual ones of a Python process "
        "(`process_*`, `python_*`). `/healthz` answers 200 while the service's loop turns, `/readyz` once it can work.",
        "Every metric whose name begins with `srl_` has the label `srl_job` besides: the job that the process works "
        "for. A process that works for none has no such label. Scrape jobs are called `actor`, `memory` and `learner`.",
        *_metrics("Every service", metrics.SERVICE),
        *_metrics("Actor", metrics.ACTOR),
        *_metrics("Host of the Memory: memory service, or learner", metrics.HOST),
        *_metrics("Learner", metrics.LEARNER),
    )


def _metrics(heading: str, definitions: Iterable[metrics.Definition]) -> Iterable[str]:
    yield f"## {heading}"
    rows = [
        [_code(d.name), d.kind, ", ".join(d.label.split()), _unit(d.name, METRIC_UNITS), d.help] for d in definitions
    ]
    yield _table(["metric", "kind", "label", "unit", "meaning"], rows)


# --- the command line


def command_line() -> str:
    notice = NOTICE.format(source="the help of the commands in srl/cli, and command_line_introduction.txt")
    return _page(notice, *commands.parts())


# --- text


def _unit(name: str, units: Mapping[str, str]) -> str:
    stem = name.removesuffix("_total")
    return next((unit for suffix, unit in units.items() if stem.endswith(suffix)), "")


def _docstring(documented: Any) -> str:
    return inspect.getdoc(documented) or ""


def _code(text: str) -> str:
    return f"`{text.strip(chr(39))}`"


def _table(headings: list[str], rows: Iterable[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _page(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
