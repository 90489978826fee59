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
    """Return the cluster that is meant. Raises UserError when there was never one in the folder that is named."""
    from srl_common.errors import UserError

    if not uri or uri.startswith(f"{_DIRECTORY}/"):
        store = Path(uri.removeprefix(_DIRECTORY) or default_folder() / STORE)
        if not store.is_dir():
            raise UserError(
                f"there is no cluster in {store.parent}: start one with `srl up`, or name another: "
                "--cluster redis://host:6379/0"
            )
        return Cluster(f"{_DIRECTORY}{store}", keys_dir or _keys_beside(store))
    return Cluster(uri, keys_dir)


def _keys_beside(store: Path) -> str:
    """Return the folder of the keys that `srl up` has made, "" for none."""
    keys = store.parent / KEYS / CLIENT
    return str(keys) if keys.is_dir() else ""


def uri_of(folder: Path) -> str:
    """Return what a local cluster's commands call it by."""
    return f"{_DIRECTORY}{folder.absolute() / STORE}"


def asleep(cluster: Cluster) -> str:
    """Return what to do when the cluster is one of this machine that does not run; "" when it runs, or is elsewhere."""
    from services.clusters.local_cluster import read_state

    if cluster.folder is None or read_state(cluster.folder) is not None:
        return ""
    option = "" if cluster.folder == default_folder() else f" --folder {cluster.folder}"
    return f"the cluster does not run: srl up{option} starts it"


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
