"""`srl doctor`: what keeps a cluster from working, and what to do about it."""

import importlib.metadata
import importlib.util
import resource
import shutil
import stat
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from srl.cli import cluster, pages
from srl.cli.cluster import Cluster, ClusterUri, KeysDir
from srl.cli.failures import EXIT_PROBLEMS
from srl.cli.output import AsJson, bytes_text, count_text, print_json, print_table

if TYPE_CHECKING:
    from srl_common.security import Keys

OPEN_FILES_LEAST = 1024
DISK_WARN_BYTES = 2 << 30
DISK_LEAST_BYTES = 200 << 20
SKEW_WARN_S = 2.0
SKEW_MOST_S = 30.0
"""Ages of snapshots and of reports are differences of two machines' clocks."""
ANSWER_WITHIN_S = 6.0
REDIS_OLDEST = (6, 2)
LIBRARIES = ("numpy", "pyzmq", "msgpack", "redis", "prometheus-client", "rich", "typer")
EXTRAS = {"torch": "torch", "gymnasium": "gymnasium"}

Result = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Check:
    """What was looked at, how it is, and what to do where it is not well."""

    what: str
    result: Result
    text: str


def doctor(
    memory: Annotated[
        str,
        typer.Option(metavar="URI", help="Where observers reach the memory service, such as tcp://memory:5601."),
    ] = "",
    uri: ClusterUri = "",
    keys_dir: KeysDir = "",
    as_json: AsJson = False,
) -> None:
    """Check this machine and a cluster, and say what to fix.

        srl doctor
        srl doctor --cluster redis://127.0.0.1:6379/0 --keys keys/client --memory tcp://127.0.0.1:5601

    Looks at Python and libraries, limits, disk, Redis, job board, snapshots, keys, clocks and services. The exit code
    is 1 when something is a problem; warnings alone are none.
    """
    found = [*check_machine(), *check_cluster(uri, keys_dir, memory)]
    if as_json:
        print_json([vars(check) for check in found])
    else:
        print_table(["", "what", "how it is"], [[check.result, check.what, check.text] for check in found])
    if any(check.result == "problem" for check in found):
        raise typer.Exit(EXIT_PROBLEMS)


# --- this machine


def check_machine() -> Iterator[Check]:
    """Look at Python, libraries and limits."""
    from srl import __version__

    yield Check("python", "ok", ".".join(map(str, sys.version_info[:3])))
    yield Check("srl", "ok", f"{__version__}, {', '.join(f'{name} {_installed(name)}' for name in LIBRARIES)}")
    missing = [extra for module, extra in EXTRAS.items() if importlib.util.find_spec(module) is None]
    if missing:
        text = f"{', '.join(missing)} not here; where you need it: pip install 'srl-cluster[{missing[0]}]'"
        yield Check("extras", "ok", text)
    else:
        yield Check("extras", "ok", f"{', '.join(EXTRAS)} are here")
    yield check_open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def check_open_files(limit: int) -> Check:
    """Judge how many files a process may have open: each connection is one."""
    if limit == resource.RLIM_INFINITY or limit >= OPEN_FILES_LEAST:
        return Check("open files", "ok", "no limit" if limit == resource.RLIM_INFINITY else f"at most {limit}")
    return Check("open files", "warning", f"at most {limit}, too few for many actors: ulimit -n {4 * OPEN_FILES_LEAST}")


def check_disk(free_bytes: float, what: str) -> Check:
    """Judge how much is free on the disk of journals and snapshots."""
    text = f"{bytes_text(free_bytes)} free ({what})"
    if free_bytes < DISK_LEAST_BYTES:
        return Check("disk", "problem", f"{text}: services stop inserting when it is full; free some")
    return Check("disk", "warning", f"{text}: soon full") if free_bytes < DISK_WARN_BYTES else Check("disk", "ok", text)


def check_skew(skew_s: float, whose: str) -> Check:
    """Judge how far another machine's clock is from this one's."""
    text = f"that of {whose} is {abs(skew_s):.1f} s {'ahead' if skew_s > 0 else 'behind'}"
    if abs(skew_s) > SKEW_MOST_S:
        return Check("clock", "problem", f"{text}: set both by NTP; ages of snapshots and reports are wrong")
    return Check("clock", "warning" if abs(skew_s) > SKEW_WARN_S else "ok", text)


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "is missing"


# --- the cluster


def check_cluster(uri: str, keys_dir: str, memory: str) -> Iterator[Check]:
    """Look at all that a cluster is."""
    from srl_common.errors import ClusterError

    try:
        where = cluster.find(uri, keys_dir)
    except ClusterError as error:
        yield Check("cluster", "warning", str(error))
        return
    keys = yield from _check_keys(where)
    if where.folder is not None:
        yield check_disk(shutil.disk_usage(_existing(where.folder)).free, str(where.folder))
    else:
        checks = list(_check_redis(where))
        yield from checks
        if checks[0].result == "problem":
            return  # board and snapshots would say the same
    yield _check_board(where)
    yield _check_store(where)
    yield from _check_services(where, memory, keys)


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def _check_keys(where: Cluster) -> "Generator[Check, None, Keys | None]":
    from srl_common.errors import ClusterError
    from srl_common.security import REDIS_AUTH, fingerprint, load_keys

    if not where.keys_dir:
        yield Check("keys", "warning", "none: enough for a cluster without; else --keys DIR, the folder called client")
        return None
    try:
        keys = load_keys(where.keys_dir)
    except ClusterError as error:
        yield Check("keys", "problem", str(error))
        return None
    assert keys is not None
    wide = _read_by_others(keys.folder)
    if not keys.own_secret:
        yield Check("keys", "problem", f"no curve.secret in {keys.folder}: it may not connect; name another folder")
    elif wide:
        yield Check("keys", "problem", f"others can read {wide}: chmod -R go= {keys.folder}")
    else:
        password = "with" if (keys.folder / REDIS_AUTH).is_file() else "without"
        text = f"{keys.folder}: key {fingerprint(keys.own_public)}, {password} a password for Redis; keys do not expire"
        yield Check("keys", "ok", text)
    return keys


def _read_by_others(folder: Path) -> str:
    """Return a file in a folder of keys that others can read, "" for none."""
    files = (path for path in folder.iterdir() if path.is_file())
    return next((str(path) for path in files if path.stat().st_mode & stat.S_IROTH), "")


def _check_redis(where: Cluster) -> Iterator[Check]:
    from srl_common.errors import ClusterError
    from srl_common.redis_connection import without_password
    from srl_common.redis_facts import read_facts

    shown = without_password(where.uri)
    try:
        before_s = time.time()
        facts = read_facts(where.uri, where.keys_dir)
        after_s = time.time()
    except ClusterError as error:
        yield Check("redis", "problem", str(error))
        return
    version = tuple(int(part) for part in facts.version.split(".")[:2])
    if version < REDIS_OLDEST:
        yield Check("redis", "problem", f"{shown} is {facts.version}: SRL needs 6.2 or newer")
    else:
        yield Check("redis", "ok", f"{shown} answers, version {facts.version}")
    yield _check_redis_memory(facts.used_bytes, facts.most_bytes, facts.policy)
    yield check_skew(facts.now_s - (before_s + after_s) / 2, "Redis")


def _check_redis_memory(used_bytes: int, most_bytes: int, policy: str) -> Check:
    text = f"{bytes_text(used_bytes)} of {bytes_text(most_bytes) if most_bytes else 'no limit'} used"
    if most_bytes and policy not in {"noeviction", ""}:
        hint = f"{policy} throws snapshots away: set maxmemory-policy noeviction"
        return Check("redis memory", "problem", f"{text}, and {hint}")
    if most_bytes and used_bytes > 0.9 * most_bytes:
        return Check("redis memory", "warning", f"{text}: delete jobs (srl jobs delete), or raise maxmemory")
    return Check("redis memory", "ok", text)


def _check_board(where: Cluster) -> Check:
    def look() -> str:
        with cluster.board(where) as board:
            running, jobs = board.running(), len(board.entries())
        at_work = f"job {running.id} ({running.name}) is running" if running else "none is running"
        return f"{count_text(jobs, 'job')}, {at_work}"

    return _tried("job board", look)


def _check_store(where: Cluster) -> Check:
    def look() -> str:
        with cluster.store(where) as store:
            return f"snapshots of {count_text(len(store.jobs()), 'job')}"

    return _tried("snapshots", look)


def _tried(what: str, look: Callable[[], str]) -> Check:
    from srl_common.errors import ClusterError

    try:
        return Check(what, "ok", look())
    except ClusterError as error:
        return Check(what, "problem", " ".join(str(error).split()))


# --- its services


def _check_services(where: Cluster, memory: str, keys: "Keys | None") -> Iterator[Check]:
    addresses, memory_uri = _addresses(where)
    if where.folder is not None and not addresses:
        yield Check("services", "warning", "no cluster runs on this machine: srl up")
        return
    read = pages.read_pages(addresses, time.monotonic())
    for page in read:
        yield _check_page(page)
    free = [value for page in read if (value := page.value("srl_journal_disk_free_bytes")) is not None]
    if free and where.folder is None:
        yield check_disk(min(free), "of the journal")
    memory = memory or memory_uri
    if memory and (not read or any(page.job for page in read)):
        yield check_hello(memory, keys)
    elif not memory:
        yield Check("memory service", "warning", "not asked: --memory tcp://host:5601 says where it is")


def _addresses(where: Cluster) -> tuple[list[str], str]:
    """Return the services' pages, and where observers reach the memory service."""
    from services.clusters.local_cluster import read_state

    if where.folder is not None:
        state = read_state(where.folder)
        return ([], "") if state is None else ([service.pages for service in state.services], state.trainer_uri)
    names = pages.known_names()
    return pages.resolve(names), "tcp://memory:5601" if "memory" in names else ""


def _check_page(page: pages.Page) -> Check:
    from srl import __version__
    from srl_common.messages import PROTOCOL

    if page.error:
        return Check("service", "problem", f"{page.address} does not answer ({page.error}): look at its log")
    version, protocol = (page.label("srl_build_info", label) for label in ("version", "protocol"))
    if protocol and protocol != str(PROTOCOL):
        text = f"{page.name} speaks protocol {protocol}, this package {PROTOCOL}: install the same version everywhere"
        return Check("service", "problem", text)
    if page.value("srl_ready") == 0:
        return Check("service", "warning", f"{page.name} is not ready yet")
    doing = f"works for {page.job}" if page.job else "waits for a job"
    if version and version != __version__:
        return Check("service", "warning", f"{page.name} has version {version}, this package {__version__}; {doing}")
    return Check("service", "ok", f"{page.name} {doing}")


def check_hello(uri: str, keys: "Keys | None") -> Check:
    """Say Hello to a memory service as an observer: address, keys and protocol must be right for an answer."""
    from srl_common.errors import ClusterError
    from srl_common.link import Link, new_incarnation
    from srl_common.messages import Role
    from srl_common.transport import Client

    try:
        incarnation = new_incarnation()
        client = Client(uri, incarnation, keys=keys)
        link = Link(client, Role.OBSERVER, "doctor", incarnation, "", time.monotonic, dict)
    except ClusterError as error:
        return Check("memory service", "problem", str(error))
    try:
        end_s = time.monotonic() + ANSWER_WITHIN_S
        while not link.welcomed and time.monotonic() < end_s:
            link.wait(0.1)
    except ClusterError as error:
        return Check("memory service", "problem", f"{uri} refuses: {error}")
    finally:
        link.close()
    if link.welcomed:
        return Check("memory service", "ok", f"{uri} answers an observer{' with these keys' if keys else ''}")
    hint = "are these its keys (srl keys list)?" if keys else "does it want keys (--keys)?"
    return Check("memory service", "problem", f"{uri} does not answer: does it run, is the address right, {hint}")
