"""Nothing that travels can be read or used by who listens: a proxy that records every byte in between."""

import contextlib
import selectors
import socket
import threading
from urllib.parse import urlsplit

import pytest
from zmq.utils import z85

from srl_common.link import new_incarnation
from srl_common.security import load_keys, make_keys
from srl_common.transport import Client, Server

SECRET = b"what the agent saw"
ANSWER = b"what the learner learned"


class RecordingProxy:
    """Passes bytes on between a client and a server, and keeps a copy of each direction."""

    def __init__(self, uri):
        parts = urlsplit(uri)
        self._target = (parts.hostname, parts.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.uri = f"tcp://127.0.0.1:{self._listening.getsockname()[1]}"
        self._to_server, self._to_client = [], []
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._stopped, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._stopped:
                        return
                    if key.fileobj is self._listening:
                        client = stack.enter_context(self._listening.accept()[0])
                        server = stack.enter_context(socket.create_connection(self._target))
                        selector.register(client, selectors.EVENT_READ, (server, self._to_server))
                        selector.register(server, selectors.EVENT_READ, (client, self._to_client))
                    else:
                        self._pass_on(selector, key)

    def _pass_on(self, selector, key):
        other, record = key.data
        try:
            data = key.fileobj.recv(1 << 16)
            record.append(data)
            other.sendall(data)
        except OSError:
            data = b""
        if not data:
            selector.unregister(key.fileobj)

    @property
    def to_server(self):
        return b"".join(self._to_server)

    @property
    def to_client(self):
        return b"".join(self._to_client)

    def replay(self, stack, server):
        """Say to the server again what was said, as one who listened can; return what it receives."""
        again = stack.enter_context(socket.create_connection(self._target))
        again.settimeout(0.2)
        for data in self._to_server:
            with contextlib.suppress(OSError):
                again.sendall(data)
                again.recv(1 << 16)
        server.wait(0.2)
        return server.receive()

    def close(self):
        self._stop.send(b"x")
        self._thread.join()
        for each in (self._listening, self._stop, self._stopped):
            each.close()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    root = tmp_path_factory.mktemp("keys")
    make_keys(root)
    return load_keys(root / "memory"), load_keys(root / "actor")


@pytest.fixture
def stack():
    with contextlib.ExitStack() as stack:
        yield stack


def talk(stack, server_keys, client_keys):
    """Send one message there and one back through a proxy; return (server, proxy)."""
    server = stack.enter_context(contextlib.closing(Server("tcp://127.0.0.1:*", keys=server_keys)))
    proxy = stack.enter_context(contextlib.closing(RecordingProxy(server.uri)))
    client = stack.enter_context(contextlib.closing(Client(proxy.uri, new_incarnation(), client_keys)))
    while not client.send([SECRET * 10]):
        client.wait(0.01)
    assert server.wait(10.0)
    incarnation, frames, _ = server.receive()
    assert bytes(frames[0]) == SECRET * 10
    assert server.send(incarnation, [ANSWER * 10])
    assert client.wait(10.0)
    assert bytes(client.receive()[0]) == ANSWER * 10
    return server, proxy


def test_with_keys_who_listens_reads_nothing_and_can_repeat_nothing(stack, keys):
    server, proxy = talk(stack, *keys)
    assert len(proxy.to_server) > len(SECRET) * 10
    assert SECRET not in proxy.to_server
    assert ANSWER not in proxy.to_client
    assert proxy.replay(stack, server) is None


def test_with_keys_who_listens_learns_no_key(stack, keys):
    _, proxy = talk(stack, *keys)
    memory, actor = keys
    for key in (actor.own_secret, actor.own_public, memory.server_secret):
        assert z85.decode(key) not in proxy.to_server + proxy.to_client


def test_control_without_keys_all_can_be_read_and_repeated(stack):
    server, proxy = talk(stack, None, None)
    assert SECRET in proxy.to_server
    assert ANSWER in proxy.to_client
    _, frames, _ = proxy.replay(stack, server)
    assert bytes(frames[0]) == SECRET * 10
