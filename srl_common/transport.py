"""ZeroMQ sockets by URI: frames in, frames out. Knows nothing of messages.

A `Server` (ROUTER) speaks to many `Client`s (DEALER), each of which goes by its incarnation. What is "sent" here may be
lost with the connection: `delivery` is what makes calls reliable.

With keys, connections by tcp are encrypted, both sides know who the other is (CURVE), and only allowed keys connect.
Sockets of one machine (ipc, inproc) need no keys.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import zmq
from zmq.utils.monitor import parse_monitor_message

from srl_common.admission import AllowList, Doorkeeper, guard
from srl_common.errors import RefusedError, SettingError
from srl_common.security import ALLOWED, OWN_SECRET, SERVER_PUBLIC, SERVER_SECRET, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from srl_common.codec import Frame
    from srl_common.security import Keys

log = logging.getLogger("srl")

RECONNECT_INTERVAL_MS = 100
HEARTBEAT_INTERVAL_MS = 1_000
HEARTBEAT_TIMEOUT_MS = 3_000
HANDSHAKE_TIMEOUT_MS = 5_000
MAX_FRAME_BYTES = 256 << 20
COPY_BELOW_BYTES = 32 << 10
"""Smaller frames are copied into the socket: cheaper than tracking who still reads them."""
IPC_PATH_MAX_BYTES = 100
"""The kernel's limit of a unix socket's path is 107."""
FAILURES_BEFORE_WARNING = 3
"""Handshakes that fail one after the other: a single one fails when the host ends in the middle of it."""
WARN_AGAIN_AFTER_S = 30.0


def check_uri(uri: str) -> None:
    """Raise SettingError unless `uri` is tcp://host:port, ipc:///path or inproc://name that can be used."""
    parts = urlsplit(uri)
    if parts.scheme == "ipc" and len(uri.removeprefix("ipc://").encode()) > IPC_PATH_MAX_BYTES:
        raise SettingError(f"{uri}: a socket's path has at most {IPC_PATH_MAX_BYTES} bytes; choose a shorter folder")
    if parts.scheme not in {"tcp", "ipc", "inproc"} or not (parts.netloc or parts.path):
        raise SettingError(f"'{uri}' is no address: write tcp://host:port, ipc:///path or inproc://name")


def check_bind(uri: str, *, allow_insecure: bool) -> None:
    """Raise SettingError when binding to `uri` without keys would let strangers in, unless that is allowed."""
    check_uri(uri)
    if not _is_open(uri):
        return
    if allow_insecure:
        log.warning("%s is open to anyone who reaches it: SRL_ALLOW_INSECURE_BIND is set", uri)
        return
    raise SettingError(
        f"binding to {uri} would admit anyone who reaches that address: set SRL_KEYS_DIR (`srl keys make` makes keys), "
        "bind to 127.0.0.1, or set SRL_ALLOW_INSECURE_BIND=1 on a network of your own"
    )


def _is_tcp(uri: str) -> bool:
    return urlsplit(uri).scheme == "tcp"


def _is_open(uri: str) -> bool:
    """Tell whether other machines reach `uri`."""
    return _is_tcp(uri) and not _is_loopback(urlsplit(uri).hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Socket:
    """What both kinds of sockets share: options, a poller, closing."""

    def __init__(self, kind: int) -> None:
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(kind)
        self._socket.setsockopt(zmq.LINGER, 0)
        # The high-water marks count messages, not bytes, and make a ROUTER drop silently: credit bounds us instead.
        self._socket.setsockopt(zmq.SNDHWM, 0)
        self._socket.setsockopt(zmq.RCVHWM, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
        self._socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_TIMEOUT_MS)
        self._socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_INTERVAL_MS)
        self._socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)

    @property
    def socket(self) -> zmq.Socket[bytes]:
        return self._socket

    def wait(self, timeout_s: float) -> bool:
        """Return at once when a message is here, else after at most `timeout_s`; tells which."""
        return bool(self._socket.poll(int(timeout_s * 1000)))

    def _receive(self) -> list[zmq.Frame] | None:
        try:
            return self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None

    def _send(self, frames: Sequence[Frame]) -> bool:
        try:
            # One frame after the other: small ones by copy, large ones by reference.
            for frame in frames[:-1]:
                self._socket.send(frame, zmq.NOBLOCK | zmq.SNDMORE, copy=len(frame) < COPY_BELOW_BYTES)
            self._socket.send(frames[-1], zmq.NOBLOCK, copy=len(frames[-1]) < COPY_BELOW_BYTES)
        except zmq.ZMQError as error:
            if error.errno in {zmq.EAGAIN, zmq.EHOSTUNREACH}:
                return False
            raise
        return True

    def close(self, linger_s: float = 0.0) -> None:
        """Close, giving what was just sent `linger_s` to leave."""
        self._socket.close(linger=int(linger_s * 1000))
        self._context.term()


class Server(_Socket):
    """The side that binds. A client is known by its incarnation, the routing id that it connects with.

    Args:
        uri: where to listen.
        allow_insecure: without keys, listen also where other machines reach it.
        keys: of a host; used for tcp only.
    """

    def __init__(self, uri: str, *, allow_insecure: bool = False, keys: Keys | None = None) -> None:
        if keys is None or not _is_tcp(uri):
            check_bind(uri, allow_insecure=allow_insecure)
            keys = None
        super().__init__(zmq.ROUTER)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self._allowed: AllowList | None = None
        self._doorkeeper: Doorkeeper | None = None
        self.open_to_strangers = keys is None and _is_open(uri)
        """Whether strangers may connect."""
        try:
            if keys is not None:
                self._lock(keys)
            self._socket.bind(uri)
        except zmq.ZMQError as error:
            self.close()
            raise SettingError(f"cannot bind to {uri}: {error.strerror}; another process may use it") from error
        except BaseException:
            self.close()
            raise
        self.uri = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def _lock(self, keys: Keys) -> None:
        if not keys.server_secret:
            raise SettingError(
                f"SRL_KEYS_DIR: no {SERVER_SECRET} in {keys.folder}: who hosts the Memory needs the keys of a host, "
                "such as .../memory"
            )
        self._allowed = AllowList(keys.folder / ALLOWED)
        self._doorkeeper = Doorkeeper(self._context, self._allowed)
        guard(self._socket, keys.server_secret)

    def receive(self) -> tuple[bytes, list[memoryview], str | None] | None:
        """Return (incarnation, frames, role of the key) of one message that is here, or None.

        The role is None without keys, and "" when the key has been revoked since the client connected.
        """
        frames = self._receive()
        if frames is None:
            return None
        role = None if self._allowed is None else self._allowed.role(str(frames[-1].get("User-Id")).encode())
        return frames[0].bytes, [frame.buffer for frame in frames[1:]], role

    def send(self, incarnation: bytes, frames: Sequence[Frame]) -> bool:
        """Hand `frames` to the socket; False when that client is not connected (any more)."""
        return self._send([incarnation, *frames])

    def close(self, linger_s: float = 0.0) -> None:
        """Close, giving what was just sent `linger_s` to leave."""
        if self._doorkeeper is not None:
            self._doorkeeper.close()
        super().close(linger_s)


class Client(_Socket):
    """The side that connects, and connects again for as long as it lives.

    Args:
        uri: of the server.
        incarnation: what the server knows this client by.
        keys: of a holder that may connect; used for tcp only.
    """

    def __init__(self, uri: str, incarnation: bytes, keys: Keys | None = None) -> None:
        check_uri(uri)
        self._keys = keys = keys if _is_tcp(uri) else None
        if keys is not None and not keys.own_secret:
            raise SettingError(
                f"SRL_KEYS_DIR: no {OWN_SECRET} in {keys.folder}: who connects needs a key of its own, as in .../actor"
            )
        super().__init__(zmq.DEALER)
        self.uri = uri
        self._socket.setsockopt(zmq.ROUTING_ID, incarnation)
        self._socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_INTERVAL_MS)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        if keys is not None:
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, keys.server_public)
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, keys.own_secret)
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.own_public)
        self._handshakes = _Handshakes(self._context, self._socket)
        self._warn_again_s = 0.0
        self._socket.connect(uri)

    def receive(self) -> list[memoryview] | None:
        """Return the frames of one message that is here, or None."""
        frames = self._receive()
        return None if frames is None else [frame.buffer for frame in frames]

    def send(self, frames: Sequence[Frame]) -> bool:
        """Hand `frames` to the socket; False when there is no connection now.

        Raises RefusedError when there will be none: the server does not allow this client's key, or wants one.
        """
        sent = self._send(frames)
        if not sent:
            self._look_why()
        return sent

    def close(self, linger_s: float = 0.0) -> None:
        """Close, giving what was just sent `linger_s` to leave."""
        self._handshakes.close()
        super().close(linger_s)

    def _look_why(self) -> None:
        """Say why there is no connection, if it is because of keys: ZeroMQ itself would be silent."""
        self._handshakes.look()
        if self._handshakes.final_failure:
            raise RefusedError(f"no connection to {self.uri}: {self._reason(self._handshakes.final_failure)}")
        now_s = time.monotonic()
        if self._handshakes.failures >= FAILURES_BEFORE_WARNING and now_s >= self._warn_again_s:
            self._warn_again_s = now_s + WARN_AGAIN_AFTER_S
            log.warning("no connection to %s: %s", self.uri, self._reason(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL))

    def _reason(self, event: int) -> str:
        if self._keys is None:
            return "the host wants keys, or is no host of SRL: set SRL_KEYS_DIR"
        folder = self._keys.folder
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            return (
                f"the host does not allow the key {fingerprint(self._keys.own_public)} in {folder / OWN_SECRET}: "
                "it was revoked or replaced, or is of another cluster; compare with `srl keys list`"
            )
        if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
            return f"the host runs without keys, this client with those in {folder}: set SRL_KEYS_DIR for both or none"
        return (
            f"the host does not have the key {fingerprint(self._keys.server_public)} of {folder / SERVER_PUBLIC}, "
            "or it runs without keys: compare with `srl keys list`, and see its SRL_KEYS_DIR"
        )


class _Handshakes:
    """How a client's handshakes went, as the socket's monitor tells."""

    _FINAL = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    """After these ZeroMQ does not try again."""
    _EVENTS = _FINAL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_SUCCEEDED

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], socket: zmq.Socket[bytes]) -> None:
        self._socket = socket
        self._events: zmq.Socket[bytes] = context.socket(zmq.PAIR)
        self._events.setsockopt(zmq.RCVHWM, 0)  # who does not look must not block the thread that tells
        socket.monitor("inproc://handshakes", self._EVENTS)
        self._events.connect("inproc://handshakes")
        self.final_failure = 0
        """The event, 0 for none."""
        self.failures = 0
        """One after the other, up to now."""

    def look(self) -> None:
        """Take in what has happened since the last look."""
        while self._events.poll(0):
            event = int(parse_monitor_message(self._events.recv_multipart())["event"])
            self.final_failure = event & self._FINAL
            self.failures = 0 if event == zmq.EVENT_HANDSHAKE_SUCCEEDED else self.failures + 1

    def close(self) -> None:
        self._socket.disable_monitor()
        self._events.close(linger=0)


class Waiter:
    """Waits for the first message of several sockets."""

    def __init__(self, sockets: Iterable[_Socket]) -> None:
        self._poller = zmq.Poller()
        for socket in sockets:
            self._poller.register(socket.socket, zmq.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        """Return as soon as a message is here, at the latest after `timeout_s`; tells which."""
        return bool(self._poller.poll(int(timeout_s * 1000)))
