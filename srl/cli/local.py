"""`srl up`, `srl down` and `srl scale`: a cluster on this machine, without containers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from srl.cli.cluster import default_folder, uri_of
from srl.cli.output import AsJson, count_text, print_json
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from services.clusters.local_cluster import State

READY_WITHIN_S = 60.0
ENDED_WITHIN_S = 60.0
"""Three times what one service may take to drain, and some more."""
LEFT_WITHIN_S = 20.0
LOOK_EVERY_S = 0.1
PAGE_TIMEOUT_S = 2.0

Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        metavar="DIR",
        file_okay=False,
        help="Where the cluster is kept; default: ~/.local/state/srl.",
    ),
]


def up(
    actors: Annotated[int, typer.Option(metavar="N", min=0, help="How many actors play.")] = 2,
    folder: Folder = None,
    port: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=65_000,
            show_default=False,
            help="The first port to listen on; default: any.",
        ),
    ] = 0,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay here, and show what the services say; Ctrl-C ends them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start a cluster on this machine: a memory service, a learner and actors, in the background.

        srl up
        srl up --actors 4 --foreground

    They talk over encrypted connections on this machine alone, wait for jobs, and are started again when they die.
    Next: srl submit my_algorithm.py --env Grid, srl top, and srl down at the end.
    """
    from services.clusters import local_cluster

    where = _folder(folder)
    state = local_cluster.read_state(where)
    if state is not None:
        _say_running(state, where, as_json=as_json, prefix="a cluster runs already: ")
        return
    _clear_away(where)
    if foreground:
        _become_supervisor(where, actors, port)
    supervisor = _start(where, actors, port)
    state = _wait_until_ready(where, supervisor, actors)
    _say_running(state, where, as_json=as_json)


def down(
    folder: Folder = None,
    purge: Annotated[bool, typer.Option("--purge", help="Delete jobs, snapshots, keys and logs too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """End the cluster on this machine: actors, learner, memory service, so that nothing is lost.

        srl down
        srl down --purge          and delete all that it has learned

    Jobs and snapshots stay: after the next srl up a job that was running goes on.
    """
    from services.clusters import local_cluster

    where = _folder(folder)
    if purge and not yes:
        typer.confirm(f"Delete all jobs, snapshots and keys in {where}?", abort=True)
    state = local_cluster.read_state(where)
    if state is None:
        _clear_away(where)
        print(f"no cluster runs in {where}")
    else:
        state.supervisor.send(signal.SIGTERM)
        _wait(lambda: not state.supervisor.alive, ENDED_WITHIN_S, f"the cluster has not ended: see {where / 'log'}")
        print(f"the cluster has ended; {'' if purge else f'jobs and snapshots stay in {where}'}".rstrip("; "))
    if purge:
        local_cluster.remove_all(where)
        print(f"deleted what the cluster had in {where}")


def scale(
    actors: Annotated[int, typer.Argument(metavar="N", min=0, help="How many actors there are to be.")],
    folder: Folder = None,
) -> None:
    """Change how many actors the cluster on this machine has.

    srl scale 8
    """
    from services.clusters import local_cluster

    where = _folder(folder)
    state = local_cluster.read_state(where)
    if state is None:
        raise UsageError(f"no cluster runs in {where}: srl up --actors {actors} starts one")
    local_cluster.want_actors(where, actors)
    _wait(
        lambda: _is_ready(local_cluster.read_state(where), actors),
        READY_WITHIN_S,
        f"the actors have not all started: see {where / 'log'}",
    )
    print(f"{count_text(actors, 'actor')} now")


def _folder(folder: Path | None) -> Path:
    return (folder or default_folder()).absolute()


def _clear_away(folder: Path) -> None:
    """End what a supervisor has left that was killed, and remove its state file."""
    from services.clusters import local_cluster

    left = local_cluster.read_left_state(folder)
    if left is None:
        return
    processes = [service.process for service in left.services]
    for process in processes:
        process.send(signal.SIGTERM)
    _wait(
        lambda: not any(process.alive for process in processes),
        LEFT_WITHIN_S,
        f"services of an earlier cluster do not end: {', '.join(str(each.pid) for each in processes if each.alive)}",
    )
    (folder / local_cluster.STATE).unlink(missing_ok=True)


def _command(folder: Path, actors: int, port: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "services.clusters.local_cluster",
        str(folder),
        "--actors",
        str(actors),
        "--port",
        str(port),
    ]


def _become_supervisor(folder: Path, actors: int, port: int) -> NoReturn:
    """Let the supervisor take the place of this process: Ctrl-C and SIGTERM then reach it."""
    _make_folder(folder)
    command = _command(folder, actors, port)
    os.execv(command[0], command)  # noqa: S606  our own module


def _start(folder: Path, actors: int, port: int) -> "subprocess.Popen[bytes]":
    from services.clusters.local_cluster import LOG

    _make_folder(folder)
    with (folder / LOG).open("wb") as log:
        return subprocess.Popen(  # noqa: S603  our own module
            _command(folder, actors, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"--folder {folder} cannot be made: {error.strerror}") from error


def _wait_until_ready(folder: Path, supervisor: "subprocess.Popen[bytes]", actors: int) -> "State":
    from services.clusters import local_cluster

    def is_ready() -> bool:
        if supervisor.poll() is not None:
            raise UsageError(
                f"the cluster has not started: {_last_words(folder)} (its log: {folder / local_cluster.LOG})"
            )
        return _is_ready(local_cluster.read_state(folder), actors)

    try:
        _wait(is_ready, READY_WITHIN_S, f"the services are not ready: see {folder / local_cluster.LOG}")
    except BaseException:
        supervisor.terminate()
        raise
    state = local_cluster.read_state(folder)
    assert state is not None
    return state


def _is_ready(state: "State | None", actors: int) -> bool:
    return state is not None and len(state.actors) == actors and all(_answers(each.pages) for each in state.services)


def _answers(pages: str) -> bool:
    from urllib.request import urlopen

    try:
        with urlopen(f"http://{pages}/readyz", timeout=PAGE_TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _last_words(folder: Path) -> str:
    from services.clusters.local_cluster import LOG
    from srl_common.service import ERROR_PREFIX

    lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line.removeprefix(ERROR_PREFIX) for line in lines if line.startswith(ERROR_PREFIX)]
    return (errors or lines or ["without a word"])[-1]


def _wait(holds: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
    """Wait until something holds. Raises UsageError when it does not in time."""
    end_s = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > end_s:
            raise UsageError(otherwise)
        time.sleep(LOOK_EVERY_S)


def _say_running(state: "State", folder: Path, *, as_json: bool, prefix: str = "") -> None:
    if as_json:
        services = [{**vars(each), "process": vars(each.process)} for each in state.services]
        print_json({**vars(state), "supervisor": vars(state.supervisor), "services": services, "folder": str(folder)})
        return
    print(f"{prefix}a memory service, a learner and {count_text(len(state.actors), 'actor')} in {folder}")
    if folder == default_folder():
        print("Next: srl submit my_algorithm.py --env Grid, srl top; srl down ends it")
    else:
        print(f"Next: export SRL_STORE={uri_of(folder)}, srl submit my_algorithm.py --env Grid, srl top;")
        print(f"srl down --folder {folder} ends it")
