"""Which cluster a command is about: `--cluster`, else SRL_STORE, else the one on this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from srl_common.job_board import JobBoard
    from srl_common.snapshots import SnapshotStore

STORE = "store"
KEYS = "keys"
STATE = "cluster.json"
CLIENT = "client"
_DIRECTORY = "dir://"

ClusterUri = Annotated[
    str,
    typer.Option(
        "--cluster",
        metavar="URI",
        envvar="SRL_STORE",
        help="The cluster's store, such as redis://host:6379/0; default: the local one of srl up.",
    ),
]
KeysDir = Annotated[
    str,
    typer.Option(
        "--keys", metavar="DIR", envvar="SRL_KEYS_DIR", help="The folder with your keys: the one called client."
    ),
]


@dataclass(frozen=True)
class Cluster:
    """Where a cluster is, and what this person may know of it."""

    uri: str
    """Of its store and its job board."""
    keys_dir: str
    """"" for none."""

    @property
    def folder(self) -> Path | None:
        """The folder of a cluster on this machine."""
        return Path(self.uri.removeprefix(_DIRECTORY)).parent if self.uri.startswith(_DIRECTORY) else None


def default_folder() -> Path:
    """Return where the local cluster is when nothing else is said."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "srl"


def find(uri: str, keys_dir: str) -> Cluster:
    """Return the cluster that is meant. Raises UserError when none is named and none was ever started here."""
    from srl_common.errors import UserError

    if uri:
        return Cluster(uri, keys_dir)
    folder = default_folder()
    if not (folder / STORE).is_dir():
        raise UserError(
            "there is no cluster on this machine: start one with `srl up`, or name one: --cluster redis://host:6379/0"
        )
    return of_folder(folder, keys_dir)


def of_folder(folder: Path, keys_dir: str = "") -> Cluster:
    """Return the local cluster in a folder."""
    return Cluster(f"{_DIRECTORY}{folder.absolute() / STORE}", keys_dir or str(folder.absolute() / KEYS / CLIENT))


@contextmanager
def board(cluster: Cluster) -> Iterator["JobBoard"]:
    """Open the cluster's job board. Raises SettingError or StorageError."""
    from srl_common.job_board import open_board

    opened = open_board(cluster.uri, cluster.keys_dir)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def store(cluster: Cluster) -> Iterator["SnapshotStore"]:
    """Open the cluster's snapshot store. Raises SettingError or StorageError."""
    from srl_common.snapshots import open_store

    opened = open_store(cluster.uri, cluster.keys_dir)
    try:
        yield opened
    finally:
        opened.close()
