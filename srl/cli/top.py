"""`srl top`: a running cluster, as its metrics show it."""

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from srl.cli import cluster, pages, screen, view
from srl.cli.cluster import ClusterUri, KeysDir
from srl.cli.output import AsJson, print_columns, print_json
from srl.utils.usage import UsageError

EVERY_S = 1.0
QUIT = frozenset("qQ\x03")
ESCAPE = "\x1b"
"""Alone it quits; arrows and other keys begin with it."""
NO_KEY = ""
KEYS_BYTES = 64
"""More than anybody types within a second."""

Read = Callable[[], list[pages.Page]]


def top(
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Ask a Prometheus, such as http://127.0.0.1:9090.")
    ] = "",
    addresses: Annotated[
        str,
        typer.Option("--pages", metavar="HOST:PORT,...", help="Read these; a name stands for all of its addresses."),
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Print what there is now, and end.")] = False,
    uri: ClusterUri = "",
    keys_dir: KeysDir = "",
    as_json: AsJson = False,
) -> None:
    """Watch a cluster: rates, queues, ages, errors, the reward, and who waits for whom. q ends it.

        srl top                                                 the cluster on this machine
        srl top --prometheus http://127.0.0.1:9090              one that a Prometheus looks after
        srl top --pages memory:9100,learner:9100,actor:9100     the services' own pages

    Rates are of the last ten seconds.
    """
    where = None if prometheus or addresses else cluster.find(uri, keys_dir)
    read = _reader(prometheus, addresses, where)
    seen = view.Cluster()
    if once or as_json or not sys.stdout.isatty():
        seen.note(read())
        time.sleep(EVERY_S)
        seen.note(read())
        _print(seen, as_json=as_json)
        return
    _watch(seen, read)


def _reader(prometheus: str, addresses: str, where: cluster.Cluster | None) -> Read:
    """Return what reads the metrics now. Raises UsageError when it is not known where they are."""
    if prometheus:
        return lambda: pages.ask_prometheus(prometheus, time.monotonic())
    if addresses:
        names = addresses.split(",")
        pages.resolve(names)
        return lambda: pages.read_pages(pages.resolve(names), time.monotonic())
    assert where is not None
    return _local_reader(where) if where.folder is not None else _network_reader()


def _local_reader(where: cluster.Cluster) -> Read:
    from services.clusters.local_cluster import read_state

    folder = where.folder
    assert folder is not None

    def read() -> list[pages.Page]:
        state = read_state(folder)
        if state is None:
            raise UsageError(cluster.asleep(where))
        return pages.read_pages([service.pages for service in state.services], time.monotonic())

    read()
    return read


def _network_reader() -> Read:
    names = pages.known_names()
    if not names:
        raise UsageError(
            "where are the metrics? --prometheus http://host:9090, or --pages host:port,... of the services"
        )
    return lambda: pages.read_pages(pages.resolve(names), time.monotonic())


def _print(seen: view.Cluster, *, as_json: bool) -> None:
    if as_json:
        print_json(seen.plain())
        return
    print(f"{', '.join(seen.jobs) or 'no job'}: {seen.waiting}")
    print(screen.reward_line(seen, 80))
    for title, rows in (("learner", seen.learners), ("memory", seen.memories), ("actor", seen.actors)):
        if rows:
            print()
            print_columns([title, *rows[0].cells], [[row.name, *screen.cells(row)] for row in rows])
    if seen.idle:
        print(f"\nwaiting for a job: {', '.join(seen.idle)}")
    for line in seen.errors:
        print(f"! {line}")


def _watch(seen: view.Cluster, read: Read) -> None:
    """Show the cluster until somebody quits."""
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            seen.note(read())
            live.update(screen.screen(seen, console.width, console.height), refresh=True)
            typed = pressed(EVERY_S)
            if typed == ESCAPE or QUIT & set(typed):
                return


@contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """Give a function that waits for keys for so many seconds and returns them, NO_KEY for none."""
    if not sys.stdin.isatty():
        yield _wait_only
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def pressed(timeout_s: float) -> str:
        ready, _, _ = select.select([terminal], [], [], timeout_s)
        return os.read(terminal, KEYS_BYTES).decode(errors="replace") if ready else NO_KEY

    try:
        tty.setcbreak(terminal)
        yield pressed
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _wait_only(timeout_s: float) -> str:
    time.sleep(timeout_s)
    return NO_KEY
