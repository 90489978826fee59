"""Every setting of every service, once: its environment variable, default, unit and meaning.

A field `chunk_items` is the environment variable `SRL_CHUNK_ITEMS` and the flag `--chunk-items`. The environment is
read in one place, `read`, by each `__main__`; a name that begins with SRL_ and is no setting is refused.
"""

from __future__ import annotations

import argparse
import difflib
import math
import os
import socket
from dataclasses import Field, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from srl_common.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PREFIX = "SRL_"
OFF = "off"
AUTO = "auto"
PORT_MAX = 65535


def _setting(default: Any, text: str, minimum: float | None = None, choices: Sequence[str] = ()) -> Any:
    return field(default=default, metadata={"help": text, "minimum": minimum, "choices": tuple(choices)})


@dataclass(frozen=True)
class ServiceSettings:
    """What all services have."""

    job: str = _setting(
        "", "the file of the job to work for, as `Job.save` writes it; with a board, a job file that the learner posts"
    )
    board: bool = _setting(False, "work for the jobs on the board at SRL_STORE, one after the other (1 or 0)")
    name: str = _setting("", "this process's name, unique in the cluster; default: kind, host and process id")
    memory_uri: str = _setting("tcp://127.0.0.1:5600", "where actors reach the Memory: tcp://host:port, ipc:///path")
    trainer_uri: str = _setting("tcp://127.0.0.1:5601", "where the learner and observers reach the memory service")
    memory_shards: int = _setting(
        1, "how many memory services share the Memory; with several, their addresses have {shard} in them", 1
    )
    store: str = _setting("dir:///tmp/srl-snapshots", "the snapshot store: redis://host:port/0, dir:///path, memory://")
    store_job: str = _setting("default", "the name that snapshots are stored under")
    metrics_bind: str = _setting("127.0.0.1:0", "host:port of /metrics, /healthz and /readyz; port 0: any; 'off': none")
    keys_dir: str = _setting("", "folder of this service's keys and password, as `srl keys` makes it; none: no keys")
    allow_insecure_bind: bool = _setting(False, "bind to addresses that strangers can reach, without keys (1 or 0)")
    drain_timeout_s: float = _setting(5.0, "seconds from SIGTERM until what is under way is given up", 0.0)
    report_file: str = _setting("", "where to write why the service failed, besides standard error")
    exit_with_stdin: bool = _setting(False, "end when standard input closes: with the parent (1 or 0)")
    log_level: str = _setting("info", "how much to log", choices=("debug", "info", "warning", "error"))
    chunk_items: int = _setting(
        256, "items of one worker function that travel in one message; the same in all services", 1
    )


@dataclass(frozen=True)
class ActorSettings(ServiceSettings):
    """The actor's own."""

    actor_id: int = _setting(-1, "number of this actor, from 0: exploration may depend on it; -1: the host says", -1)
    actor_num: int = _setting(0, "how many actors there are; 0: the host says", 0)
    chunk_bytes: int = _setting(1 << 20, "bytes at which a chunk leaves before it has so many items", 1)
    chunk_age_ms: float = _setting(20.0, "milliseconds after which a chunk leaves though it is not full", 0.0)
    parameter_interval_s: float = _setting(0.25, "seconds between two fetches of a newer parameter, at least", 0.0)


@dataclass(frozen=True)
class HostSettings(ServiceSettings):
    """Of whoever hosts the Memory: the memory service, or the learner with `memory_mode=learner`."""

    memory_mode: str = _setting(
        "service",
        "where the Memory lives: in the memory service, or in the learner",
        choices=("service", "learner"),
    )
    window_calls: int = _setting(8, "chunks that an actor may have under way without acknowledgement", 1)
    update_window_calls: int = _setting(100, "trainer's send calls under way without acknowledgement", 1)
    queue_items: int = _setting(100_000, "items that may wait in a Memory that is consumed from; then actors wait", 1)
    queue_bytes: int = _setting(64 << 20, "bytes of such items that may wait", 1)
    kept_bytes: int = _setting(256 << 20, "bytes of batches that may wait for a snapshot to be stored", 1)
    samples_per_insert: str = _setting(
        AUTO, "how often an inserted item is sampled on average: a number, 'auto' (as the Config says) or 'off'"
    )
    samples_per_insert_tolerance_items: float = _setting(
        0.0, "how many samples more or fewer there may be; 0: as the Config says, or chosen", 0.0
    )
    samples_minimum_items: int = _setting(0, "items to insert before the first batch; 0: as the Config says", 0)
    max_staleness_updates: int = _setting(0, "older experience is not trained on, in updates; 0: no limit", 0)
    journal: str = _setting("on", "keep a journal, so that a kill loses nothing (on or off)", choices=("on", "off"))
    journal_dir: str = _setting("srl-journal", "folder of the journal and its checkpoints")
    journal_fsync: str = _setting(
        "interval", "when the journal is forced to disk", choices=("always", "interval", "never")
    )
    journal_fsync_interval_s: float = _setting(1.0, "seconds between two fsyncs with `interval`", 0.0)
    checkpoint_bytes: int = _setting(
        256 << 20, "journal size at which the Memory is checkpointed and the journal cut", 1
    )
    checkpoint_on_exit: bool = _setting(False, "write a checkpoint of the Memory at the end (1 or 0)")


@dataclass(frozen=True)
class MemorySettings(HostSettings):
    """The memory service's own."""

    memory_shard: int = _setting(0, "number of this memory service, from 0, where there are several", 0)
    actor_burst_ms: float = _setting(2.0, "milliseconds of inserts before the learner is served again", 0.0)


@dataclass(frozen=True)
class LearnerSettings(HostSettings):
    """The learner's own."""

    job_env: str = _setting("", "environment of the job in SRL_JOB; empty: as the file says")
    job_timeout_s: float = _setting(-1.0, "seconds of training of the job in SRL_JOB; -1: as the file says")
    job_max_train_count: int = _setting(-1, "train count of the job in SRL_JOB; -1: as the file says")
    prefetch_batches: int = _setting(5, "batches that the memory service prepares ahead, by recv function", 1)
    snapshot_interval_s: float = _setting(1.0, "seconds between two snapshots of the parameter", 0.0)
    snapshot_keep_last: int = _setting(5, "how many of the newest snapshots are kept", 1)
    snapshot_keep_every_s: float = _setting(
        600.0, "the first snapshot of each such time is kept too, in seconds; 0: none but the newest", 0.0
    )


ALL_SETTINGS: tuple[type[ServiceSettings], ...] = (ActorSettings, MemorySettings, LearnerSettings)

T = TypeVar("T", bound=ServiceSettings)


def variable(name: str) -> str:
    """Return the environment variable of the setting `name`."""
    return PREFIX + name.upper()


def read(kind: type[T], environ: Mapping[str, str], argv: Sequence[str] = ()) -> T:
    """Return the settings of one service from flags, else the environment, else defaults. Raises SettingError."""
    _refuse_unknown(environ)
    types = get_type_hints(kind)
    flags = _parse_flags(kind, argv)
    values: dict[str, Any] = {}
    for each in fields(kind):
        name = variable(each.name)
        text = flags.get(each.name)
        if text is None:
            text = environ.get(name)
        if text is not None:
            values[each.name] = _convert(name, text, types[each.name], each)
    return kind(**{"name": default_name(kind), **values})


def default_name(kind: type[ServiceSettings]) -> str:
    """Return a name that is unique in a cluster: the service's kind, the machine's name and the process's number."""
    return f"{kind.__name__.removesuffix('Settings').lower()}-{socket.gethostname()}-{os.getpid()}"


def environment() -> dict[str, str]:
    """Return a copy of this process's environment, for a process that takes its place."""
    return dict(os.environ)


def read_or_exit(kind: type[T]) -> T:
    """Return the settings of this process; a mistake in them ends it with one line on standard error."""
    import sys

    try:
        return read(kind, os.environ, sys.argv[1:])
    except SettingError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


def changed(settings: T, values: Mapping[str, Any]) -> T:
    """Return `settings` with other values, which are checked as those of the environment are. Raises SettingError."""
    types = get_type_hints(type(settings))
    by_name = {each.name: each for each in fields(settings)}
    converted = {
        name: _convert(variable(name), _plain_text(value), types[name], by_name[name]) for name, value in values.items()
    }
    return replace(settings, **converted)


def _plain_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def to_environ(settings: ServiceSettings) -> dict[str, str]:
    """Return the environment variables that `read` makes the same settings of."""
    return {variable(each.name): _to_text(getattr(settings, each.name)) for each in fields(settings)}


def _to_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _known_variables() -> dict[str, None]:
    return {variable(each.name): None for kind in ALL_SETTINGS for each in fields(kind)}


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = _known_variables()
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(known)}"
            raise SettingError(f"{name} is no setting: {hint}")


def _parse_flags(kind: type[ServiceSettings], argv: Sequence[str]) -> dict[str, str | None]:
    parser = argparse.ArgumentParser(
        description=kind.__doc__,
        allow_abbrev=False,
        epilog="Each flag is also an environment variable: SRL_...",
    )
    for each in fields(kind):
        text = f"{each.metadata['help']} [{variable(each.name)}, default: {each.default}]".replace("%", "%%")
        parser.add_argument("--" + each.name.replace("_", "-"), dest=each.name, metavar="VALUE", help=text)
    return vars(parser.parse_args(argv))


def _convert(name: str, text: str, wanted: Any, each: Field[Any]) -> Any:
    converters: dict[Any, Callable[[str, str], Any]] = {bool: _to_bool, int: _to_int, float: _to_float}
    value = converters.get(wanted, _keep)(name, text)
    choices, minimum = each.metadata["choices"], each.metadata["minimum"]
    if choices and value not in choices:
        raise SettingError(f"{name}={text}: must be one of {', '.join(choices)} ({each.metadata['help']})")
    if minimum is not None and value < minimum:
        raise SettingError(f"{name}={text}: must be at least {minimum} ({each.metadata['help']})")
    return value


def _keep(_name: str, text: str) -> str:
    return text


def _to_bool(name: str, text: str) -> bool:
    values = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    if text.lower() not in values:
        raise SettingError(f"{name}={text}: write 1 or 0")
    return values[text.lower()]


def _to_int(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingError(f"{name}={text}: a whole number is wanted") from None


def _to_float(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SettingError(f"{name}={text}: a finite number is wanted")
    return value


def split_bind(text: str) -> tuple[str, int] | None:
    """Return (host, port) of `metrics_bind`, None when it is off. Raises SettingError."""
    if text == OFF:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > PORT_MAX:
        raise SettingError(f"{variable('metrics_bind')}={text}: write host:port, or {OFF}")
    return host, int(port)


def child_environ(settings: ServiceSettings, import_path: Sequence[str]) -> dict[str, str]:
    """Return the environment for a service that is started as a child: this process's, with these settings.

    One thread for each process's linear algebra: the services are what runs side by side.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {
        "OMP_NUM_THREADS": "1",
        **inherited,
        "PYTHONPATH": os.pathsep.join(import_path),
        "PYTHONUNBUFFERED": "1",
        **to_environ(settings),
    }
