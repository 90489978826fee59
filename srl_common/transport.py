"""ZeroMQ sockets by URI: frames in, frames out. Knows nothing of messages.

A `Server` (ROUTER) speaks to many `Client`s (DEALER), each of which goes by its incarnation. What is "sent" here may be
lost with the connection: `delivery` is what makes calls reliable.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import zmq

from srl_common.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from srl_common.codec import Frame

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


def check_uri(uri: str) -> None:
    """Raise SettingError unless `uri` is tcp://host:port, ipc:///path or inproc://name that can be used."""
    parts = urlsplit(uri)
    if parts.scheme == "ipc" and len(uri.removeprefix("ipc://").encode()) > IPC_PATH_MAX_BYTES:
        raise SettingError(f"{uri}: a socket's path has at most {IPC_PATH_MAX_BYTES} bytes; choose a shorter folder")
    if parts.scheme not in {"tcp", "ipc", "inproc"} or not (parts.netloc or parts.path):
        raise SettingError(f"'{uri}' is no address: write tcp://host:port, ipc:///path or inproc://name")


def check_bind(uri: str, *, allow_insecure: bool) -> None:
    """Raise SettingError when binding to `uri` would let strangers in: tcp on other than a loopback address."""
    check_uri(uri)
    parts = urlsplit(uri)
    if parts.scheme != "tcp" or _is_loopback(parts.hostname or ""):
        return
    if allow_insecure:
        log.warning("%s is open to anyone who reaches it: SRL_ALLOW_INSECURE_BIND is set", uri)
        return
    raise SettingError(
        f"binding to {uri} would admit anyone who reaches that address: bind to 127.0.0.1, "
        "or set SRL_ALLOW_INSECURE_BIND=1 on a network of your own"
    )


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

    def _receive(self) -> list[memoryview] | None:
        try:
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        return [frame.buffer for frame in frames]

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
    """The side that binds. A client is known by its incarnation, the routing id that it connects with."""

    def __init__(self, uri: str, *, allow_insecure: bool = False) -> None:
        check_bind(uri, allow_insecure=allow_insecure)
        super().__init__(zmq.ROUTER)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        try:
            self._socket.bind(uri)
        except zmq.ZMQError as error:
            self.close()
            raise SettingError(f"cannot bind to {uri}: {error.strerror}; another process may use it") from error
        self.uri = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def receive(self) -> tuple[bytes, list[memoryview]] | None:
        """Return (incarnation, frames) of one message that is here, or None."""
        frames = self._receive()
        return None if frames is None else (bytes(frames[0]), frames[1:])

    def send(self, incarnation: bytes, frames: Sequence[Frame]) -> bool:
        """Hand `frames` to the socket; False when that client is not connected (any more)."""
        return self._send([incarnation, *frames])


class Client(_Socket):
    """The side that connects, and connects again for as long as it lives."""

    def __init__(self, uri: str, incarnation: bytes) -> None:
        check_uri(uri)
        super().__init__(zmq.DEALER)
        self._socket.setsockopt(zmq.ROUTING_ID, incarnation)
        self._socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_INTERVAL_MS)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.connect(uri)

    def receive(self) -> list[memoryview] | None:
        """Return the frames of one message that is here, or None."""
        return self._receive()

    def send(self, frames: Sequence[Frame]) -> bool:
        """Hand `frames` to the socket; False when there is no connection now."""
        return self._send(frames)


class Waiter:
    """Waits for the first message of several sockets."""

    def __init__(self, sockets: Iterable[_Socket]) -> None:
        self._poller = zmq.Poller()
        for socket in sockets:
            self._poller.register(socket.socket, zmq.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        """Return as soon as a message is here, at the latest after `timeout_s`; tells which."""
        return bool(self._poller.poll(int(timeout_s * 1000)))
