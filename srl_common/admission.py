"""Who may connect to a host: the list of allowed keys, and who answers when ZeroMQ asks about a connection (ZAP).

A CURVE socket without anyone who answers admits every key that can be thought of. So the sockets of a host insist on an
answer, and a `Doorkeeper` has shown that it refuses before the first client can come.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import zmq
from zmq.auth.thread import ThreadAuthenticator

from srl_common.errors import ClusterError, InternalError, SettingError
from srl_common.security import fingerprint, read_allowed

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("srl")

DOMAIN = "srl"
ANSWER_TIMEOUT_S = 5.0
_ZAP = "inproc://zeromq.zap.01"


class AllowList:
    """The roles of the keys that may connect, from a file that is read again when it has changed.

    Of a damaged list the log tells, and the one before it counts; a list that is gone allows nobody. Several threads
    may ask.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._state()
        self._allowed = read_allowed(path)
        if not self._allowed:
            raise SettingError(f"SRL_KEYS_DIR: {path} allows nobody to connect: make it with `srl keys make`")

    def role(self, public: bytes) -> str:
        """Return the role of a key, "" for one that is not allowed, or not any more."""
        self._read_again()
        role, _ = self._allowed.get(public, ("", ""))
        return role

    def _read_again(self) -> None:
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._allowed = read_allowed(self._path)
        except ClusterError as error:
            log.warning("the keys allowed before stay allowed: %s", error)
        else:
            log.info("%s: %d keys are allowed now", self._path, len(self._allowed))

    def _state(self) -> tuple[int, ...]:
        try:
            stat = self._path.stat()
        except OSError:
            return ()
        return stat.st_ino, stat.st_mtime_ns, stat.st_size


class Doorkeeper:
    """Answers, in a thread of its own, for all sockets of a context. Raises InternalError unless it really does."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], allowed: AllowList) -> None:
        self._allowed = allowed
        self._nobody, _ = zmq.curve_keypair()
        self._authenticator = ThreadAuthenticator(context)
        self._authenticator.start()
        self._authenticator.configure_curve_callback(DOMAIN, self)
        try:
            _prove(context, self._nobody)
        except InternalError:
            self.close()
            raise

    def callback(self, _domain: str, public: bytes) -> bool:
        """Tell whether a key may connect."""
        if self._allowed.role(public):
            return True
        if public != self._nobody:
            log.info("refused: a client with the key %s, which is not allowed", fingerprint(public))
        return False

    def close(self) -> None:
        """End the thread."""
        self._authenticator.stop()


def guard(socket: zmq.Socket[bytes], server_secret: bytes) -> None:
    """Let `socket`, before it binds, encrypt, and refuse who has not been answered for."""
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, server_secret)
    socket.setsockopt_string(zmq.ZAP_DOMAIN, DOMAIN)
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


def _prove(context: zmq.Context[zmq.Socket[bytes]], nobody: bytes) -> None:
    """Ask about a public key that nobody has, as ZeroMQ would."""
    with context.socket(zmq.REQ) as asker:
        asker.setsockopt(zmq.LINGER, 0)
        asker.connect(_ZAP)
        asker.send_multipart([b"1.0", b"proof", DOMAIN.encode(), b"", b"", b"CURVE", zmq.utils.z85.decode(nobody)])
        answer = asker.recv_multipart() if asker.poll(int(ANSWER_TIMEOUT_S * 1000)) else []
    if answer[2:3] != [b"400"]:
        raise InternalError(f"what should refuse unknown keys does not: {answer[2:4] or 'no answer'}")
