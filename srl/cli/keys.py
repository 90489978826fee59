"""`srl keys`: who may connect."""

from pathlib import Path
from typing import Annotated

import typer

from srl.cli.cluster import KEYS, default_folder
from srl.cli.output import AsJson, print_json, print_table

Root = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", file_okay=False, help="The folder of all keys; default: that of the local cluster."
    ),
]
Holder = Annotated[
    str, typer.Argument(metavar="HOLDER", help="memory, learner, actor, client, or a name such as client-anna.")
]
Sure = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def overview() -> None:
    """Who may connect to a cluster: CURVE keys for its services, and passwords of Redis.

        srl keys make --folder keys
        srl keys list --folder keys

    The keys of the local cluster are made by srl up.
    """


def make(
    holder: Annotated[
        str, typer.Argument(metavar="HOLDER", help="Make one more key, for one machine or person: client-anna.")
    ] = "",
    folder: Root = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", file_okay=False, help="Where to put a holder's own folder.")
    ] = None,
) -> None:
    """Make all keys and passwords that are missing, or one more.

        srl keys make --folder keys                 a folder a role: memory, learner, actor, client, redis
        srl keys make client-anna --folder keys     a key for Anna: give her the folder keys/client-anna

    A second time nothing changes. Next: srl keys list; the folder of a role is its SRL_KEYS_DIR.
    """
    from srl_common.security import add_key, make_keys

    root = _root(folder)
    made = root
    if holder:
        made = add_key(root, holder, to or root / holder)
    else:
        make_keys(root)
    print(f"the keys are in {made}")


def list_all(folder: Root = None, as_json: AsJson = False) -> None:
    """List who may connect, with a fingerprint of each key; secrets are not shown.

    srl keys list --folder keys
    """
    from srl_common.security import list_keys

    keys = list_keys(_root(folder))
    if as_json:
        print_json([vars(key) for key in keys])
        return
    rows = [[key.holder, key.role, key.fingerprint, "yes" if key.has_password else "no"] for key in keys]
    print_table(["holder", "role", "fingerprint", "Redis password"], rows)


def rotate(
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help="One holder; without: all keys.")] = "",
    folder: Root = None,
    yes: Sure = False,
) -> None:
    """Replace the key and password of one holder, or of all.

        srl keys rotate actor --folder keys      actors need the new folder
        srl keys rotate --folder keys            everything that was handed out is worthless

    Next: start the services of that role again, and Redis, which reads its users when it starts.
    """
    from srl_common.security import make_keys, rotate_key

    root = _root(folder)
    _ask(f"Replace {holder or 'all keys'} in {root}? What uses the old ones is locked out.", yes=yes)
    if holder:
        rotate_key(root, holder)
    else:
        make_keys(root, rotate=True)
    print(f"replaced {holder or 'all keys'} in {root}: start what uses them again")


def revoke(holder: Holder, folder: Root = None, yes: Sure = False) -> None:
    """Let a holder in no longer.

        srl keys revoke client-anna --folder keys

    Its key is refused at once, its password when Redis has started again and read its users.
    """
    from srl_common.security import revoke_key

    root = _root(folder)
    _ask(f"Revoke the key of {holder} in {root}?", yes=yes)
    revoke_key(root, holder)
    print(f"{holder} may not connect any more")


def _root(folder: Path | None) -> Path:
    return folder or default_folder() / KEYS


def _ask(question: str, *, yes: bool) -> None:
    if not yes:
        typer.confirm(question, abort=True)
