"""Keys and passwords: the folders that hold them, and what a service loads from its own.

Below one root there is a folder for each holder: `memory`, `learner`, `actor`, `client`, and `client-anna` for a key
that was made for Anna alone. A holder's name begins with its role.

    curve.secret    the holder's own key: whoever has it may connect in its role (all but memory, which only hosts)
    curve.server    the public key of the Memory's host, so that nobody can pose as it
    server.secret   the key of the Memory's host (memory, learner)
    allowed         who may connect, one a line: public key, role, holder (memory, learner)
    redis.auth      user:password; what Redis has to know of them all is in redis/users.acl

The secrets are the truth. `allowed` and `users.acl` list what may be used, also of holders whose folder has been moved
away; everything else is derived. Each file is replaced as a whole, and written only if it changes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from srl_common import redis_acl
from srl_common.errors import CorruptError, SettingError, StorageError
from srl_common.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_ROLES = {"learner": "learner", "actor": "actor", "client": "observer"}
"""By the beginning of a holder's name: the role that its key may say Hello with."""
HOLDERS = ("memory", "learner", "actor", "client")
HOSTS = ("memory", "learner")
NAMED = ("actor", "client")
"""Roles that may have further keys, one for each machine or person."""

OWN_SECRET = "curve.secret"  # noqa: S105  the name of a file
SERVER_PUBLIC = "curve.server"
SERVER_SECRET = "server.secret"  # noqa: S105  the name of a file
ALLOWED = "allowed"
REDIS_AUTH = "redis.auth"
USERS = "users.acl"
USERS_REDIS_6 = "users-redis6.acl"

_KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
"""32 bytes as Z85, the way that ZeroMQ writes keys."""
_HOLDER = re.compile(rf"({'|'.join(NAMED)})-[a-z0-9]+(-[a-z0-9]+)*")
_OTHERS = 0o007
"""Group members may read: that is how Kubernetes hands secrets to a user that is not root."""
PASSWORD_BYTES = 32


@dataclass(frozen=True)
class Keys:
    """What one service may know."""

    folder: Path
    own_secret: bytes = field(repr=False)
    """Empty where the holder connects to nobody."""
    server_public: bytes
    server_secret: bytes = field(repr=False)
    """Empty where the holder hosts no Memory."""

    @property
    def own_public(self) -> bytes:
        return zmq.curve_public(self.own_secret) if self.own_secret else b""


@dataclass(frozen=True)
class KeyInfo:
    """What can be told of a key without telling the key."""

    holder: str
    """The folder's name: actor, client-anna; "server" for the key of the Memory's host."""
    role: str
    """actor, learner or observer; "server"."""
    fingerprint: str
    has_password: bool
    """Whether Redis knows the holder."""


def fingerprint(public: bytes) -> str:
    """Return a short name of a public key, which can be compared by eye."""
    return hashlib.sha256(public).hexdigest()[:16]


# --- what a service loads


def load_keys(folder: str | Path) -> Keys | None:
    """Return what is in a holder's folder, None for "". Raises SettingError, CorruptError."""
    if not folder:
        return None
    folder = Path(folder)
    server_public = _read_key(folder / SERVER_PUBLIC)
    if not server_public:
        raise SettingError(
            f"SRL_KEYS_DIR: no {SERVER_PUBLIC} in {folder}: name the folder of one holder, such as .../actor, "
            "or make the keys with `srl keys make`"
        )
    for name in (OWN_SECRET, SERVER_SECRET, REDIS_AUTH):
        _refuse_open_file(folder / name)
    return Keys(folder, _read_key(folder / OWN_SECRET), server_public, _read_key(folder / SERVER_SECRET))


def load_redis_login(folder: str | Path) -> tuple[str, str]:
    """Return user and password for Redis of a holder's folder, two empty texts where it has none.

    Raises SettingError.
    """
    if not folder:
        return "", ""
    path = Path(folder) / REDIS_AUTH
    _refuse_open_file(path)
    try:
        user, colon, password = _read(path).decode(errors="replace").strip().partition(":")
    except StorageError as error:
        raise SettingError(f"SRL_KEYS_DIR: {error}") from error
    if user and not colon:
        raise SettingError(f"SRL_KEYS_DIR: {path} is not one line user:password")
    return user, password


def read_allowed(path: Path) -> dict[bytes, tuple[str, str]]:
    """Return public key -> (role, holder), nothing where there is no such file. Raises StorageError, CorruptError."""
    allowed = {}
    for line in _read(path).decode(errors="replace").splitlines():
        words = line.split()
        if len(words) != 3 or not _KEY.fullmatch(words[0]) or words[1] not in KEY_ROLES.values():
            raise CorruptError(f"{path} is not as `srl keys` wrote it: a line is public key, role, holder; restore it")
        allowed[words[0].encode()] = (words[1], words[2])
    return allowed


def _refuse_open_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise SettingError(f"SRL_KEYS_DIR: {path} cannot be read: {error.strerror}") from error
    if mode & _OTHERS:
        raise SettingError(
            f"SRL_KEYS_DIR: {path} can be read by others: chmod 600 {path}; then think of replacing what is in it"
        )


# --- what `srl keys` does


def make_keys(root: str | Path, *, rotate: bool = False) -> None:
    """Make what is missing of all keys and passwords below `root`; a second time nothing changes.

    With `rotate` everything is made anew, and nothing that was handed out before is good any more: services must be
    started again, Redis too, and holders with a name of their own get their keys anew by `add_key`.
    Raises SettingError, StorageError, CorruptError.
    """
    with _opened(Path(root)) as ring:
        if rotate:
            ring.rotate()
        ring.complete()


def add_key(root: str | Path, holder: str, to: str | Path = "") -> Path:
    """Make a key and a password for one more holder, `actor-NAME` or `client-NAME`; return its folder.

    The folder is `to`, or below `root`; it may be moved to where it is used. Raises SettingError where the holder is
    known already.
    """
    if not _HOLDER.fullmatch(holder):
        raise SettingError(f"'{holder}' is no holder's name: write actor-NAME or client-NAME, of a-z, 0-9 and -")
    with _opened(Path(root)) as ring:
        if holder in ring.allowed:
            raise SettingError(f"'{holder}' has a key already: rotate or revoke it, or choose another name")
        ring.complete()
        folder = Path(to) if to else Path(root) / holder
        _make_folder(folder)
        if any(folder.iterdir()):
            raise SettingError(f"{folder} is not empty: name a folder of its own for '{holder}'")
        ring.complete_holder(holder, folder)
        ring.write_lists()
    return folder


def rotate_key(root: str | Path, holder: str) -> Path:
    """Replace the key and the password of one holder; return its folder. The old ones are not good any more."""
    _require(Path(root), holder)
    with _opened(Path(root)) as ring:
        ring.complete()
        ring.issue(holder)
        ring.write_lists()
    return Path(root) / holder


def revoke_key(root: str | Path, holder: str) -> None:
    """Let a holder in no longer: its key at once, its password when Redis has read its users again.

    A role that is to go on working needs new ones then: `make_keys` makes what is missing.
    """
    _require(Path(root), holder)
    with _opened(Path(root)) as ring:
        ring.revoke(holder)
        ring.write_lists()


def list_keys(root: str | Path) -> list[KeyInfo]:
    """Return what can be told of the keys below `root`: the server's, then all that are allowed."""
    ring = _KeyRing(Path(root))
    keys = [KeyInfo("server", "server", fingerprint(ring.server_public), has_password=False)]
    for holder, public in sorted(ring.allowed.items()):
        keys.append(KeyInfo(holder, _role(holder), fingerprint(public), holder in ring.users))
    return keys


def _require(root: Path, holder: str) -> None:
    ring = _KeyRing(root)
    known = {*ring.allowed, *ring.users}
    if not known:
        raise _no_keys(root)
    if holder not in known:
        raise SettingError(f"no key of '{holder}' in {root}: the holders are {', '.join(sorted(known))}")


def _no_keys(root: Path) -> SettingError:
    return SettingError(f"there are no keys in {root}: make them with `srl keys make`")


class _KeyRing:
    """All keys below one root: what is allowed, and how to change it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        # The first host's list is written first.
        found = next((found for host in HOSTS if (found := read_allowed(root / host / ALLOWED))), {})
        self.allowed = {holder: public for public, (_, holder) in found.items()}
        """Public key by holder."""
        acl = root / "redis" / USERS
        self.users = redis_acl.parse(_read(acl).decode(errors="replace").splitlines(), str(acl))
        """The hash of the password by holder."""

    @property
    def server_public(self) -> bytes:
        for host in HOSTS:
            if secret := _read_key(self._root / host / SERVER_SECRET):
                return zmq.curve_public(secret)
        raise _no_keys(self._root)

    def complete(self) -> None:
        """Make what is missing, and derive what is derived."""
        secret = next((key for host in HOSTS if (key := _read_key(self._root / host / SERVER_SECRET))), _new_secret())
        for host in HOSTS:
            _write(self._root / host / SERVER_SECRET, secret + b"\n")
        for holder in HOLDERS:
            self.complete_holder(holder, self._root / holder)
        self.write_lists()

    def complete_holder(self, holder: str, folder: Path) -> None:
        """Make what is missing in the folder of `holder`."""
        _write(folder / SERVER_PUBLIC, self.server_public + b"\n")
        if _role(holder):
            secret = _read_key(folder / OWN_SECRET) or _new_secret()
            _write(folder / OWN_SECRET, secret + b"\n")
            self.allowed[holder] = zmq.curve_public(secret)
        password = _read_password(folder / REDIS_AUTH, holder) or secrets.token_urlsafe(PASSWORD_BYTES)
        _write(folder / REDIS_AUTH, f"{holder}:{password}\n".encode())
        self.users[holder] = redis_acl.hash_of(password)

    def issue(self, holder: str) -> None:
        """Give a new key and password to `holder`."""
        self.revoke(holder)
        self.complete_holder(holder, self._root / holder)

    def revoke(self, holder: str) -> None:
        """Forget the key and the password of `holder`."""
        folder = self._root / holder
        for name in (OWN_SECRET, REDIS_AUTH):
            (folder / name).unlink(missing_ok=True)
        if holder not in HOLDERS:
            shutil.rmtree(folder, ignore_errors=True)  # it may have been moved away
        self.allowed.pop(holder, None)
        self.users.pop(holder, None)

    def rotate(self) -> None:
        """Forget everything."""
        for host in HOSTS:
            (self._root / host / SERVER_SECRET).unlink(missing_ok=True)
        for holder in {*HOLDERS, *self.allowed, *self.users}:
            self.revoke(holder)

    def write_lists(self) -> None:
        """Say to the hosts and to Redis who may come in."""
        lines = [f"{public.decode()} {_role(holder)} {holder}\n" for holder, public in sorted(self.allowed.items())]
        for host in HOSTS:
            _write(self._root / host / ALLOWED, "".join(lines).encode())
        _write(self._root / "redis" / USERS, redis_acl.render(self.users, redis_acl.RULES).encode())
        _write(self._root / "redis" / USERS_REDIS_6, redis_acl.render(self.users, redis_acl.RULES_REDIS_6).encode())


def _role(holder: str) -> str:
    return KEY_ROLES.get(holder.partition("-")[0], "")


def _new_secret() -> bytes:
    return zmq.curve_keypair()[1]


@contextlib.contextmanager
def _opened(root: Path) -> Iterator[_KeyRing]:
    """Give the ring below `root` to one process at a time."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (*HOLDERS, "redis"):
            _make_folder(root / name)
        lock = os.open(root / HOSTS[0], os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield _KeyRing(root)
        finally:
            os.close(lock)
    except OSError as error:
        raise SettingError(
            f"keys cannot be kept in {root}: {error.strerror} ({error.filename}); "
            "choose a folder that this user can write to"
        ) from error


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_mode & _OTHERS:
        folder.chmod(0o700)


def _write(path: Path, data: bytes) -> None:
    """Let a file that only its owner can read have `data`; do nothing when it has."""
    if _read(path) == data and not path.stat().st_mode & _OTHERS:
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_whole(path, data, 0o600)


def _read(path: Path) -> bytes:
    """Return what is in a file, nothing where there is no such file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error


def _read_key(path: Path) -> bytes:
    """Return the key in a file, nothing where there is no such file."""
    key = _read(path).strip()
    if key and not _KEY.fullmatch(key.decode(errors="replace")):
        raise CorruptError(f"{path} holds no key: restore it, or delete it and run `srl keys make` again")
    return key


def _read_password(path: Path, holder: str) -> str:
    user, _, password = _read(path).decode(errors="replace").strip().partition(":")
    if user and (user != holder or not password):
        raise CorruptError(
            f"{path} is not one line {holder}:password: restore it, or delete it and run `srl keys make` again"
        )
    return password
