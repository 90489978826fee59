"""Sockets: frames arrive, strangers' addresses are refused, nothing leaks."""

import os

import pytest

from srl_common.errors import SettingError
from srl_common.link import new_incarnation
from srl_common.transport import IPC_PATH_MAX_BYTES, Client, Server, Waiter, check_bind, check_uri


@pytest.fixture
def server():
    server = Server("tcp://127.0.0.1:*")
    yield server
    server.close()


@pytest.fixture
def client(server):
    client = Client(server.uri, new_incarnation())
    yield client
    client.close()


def send_when_connected(client, frames):
    for _ in range(500):
        if client.send(frames):
            return
        client.wait(0.01)
    pytest.fail("no connection")


@pytest.mark.parametrize("frames", [[b"head"], [b"head", b"", b"x" * 1_000_000], [b"\0" * 40_000] * 3])
def test_frames_go_there_and_back(server, client, frames):
    send_when_connected(client, frames)
    assert server.wait(5.0)
    incarnation, received, role = server.receive()
    assert ([bytes(frame) for frame in received], role) == (frames, None)
    assert server.send(incarnation, received)
    assert client.wait(5.0)
    assert [bytes(frame) for frame in client.receive()] == frames


def test_nothing_to_receive_is_none(server, client):
    assert server.receive() is None
    assert client.receive() is None
    assert not client.wait(0.0)


def test_sending_to_one_who_is_not_there_is_false(server):
    assert server.send(new_incarnation(), [b"head"]) is False


def test_sending_without_a_connection_is_false(tmp_path):
    client = Client(f"ipc://{tmp_path}/nobody", new_incarnation())
    assert client.send([b"head"]) is False
    client.close()


def test_a_waiter_hears_any_of_its_sockets(server, client):
    other = Server("tcp://127.0.0.1:*")
    waiter = Waiter([other, server])
    assert not waiter.wait(0.0)
    send_when_connected(client, [b"x"])
    assert waiter.wait(5.0)
    other.close()


def test_an_address_in_use_is_refused(server):
    with pytest.raises(SettingError, match=r"cannot bind to .*another process may use it"):
        Server(server.uri)


@pytest.mark.parametrize("uri", ["", "localhost:5600", "http://localhost:1", "tcp://"])
def test_what_is_no_address_is_refused(uri):
    with pytest.raises(SettingError, match="is no address"):
        check_uri(uri)


def test_a_socket_path_that_is_too_long_is_refused():
    with pytest.raises(SettingError, match="choose a shorter folder"):
        check_uri("ipc:///" + "x" * IPC_PATH_MAX_BYTES)


@pytest.mark.parametrize("uri", ["tcp://0.0.0.0:5600", "tcp://10.0.0.1:5600", "tcp://*:5600", "tcp://example:5600"])
def test_binding_where_strangers_reach_is_refused(uri, caplog):
    with pytest.raises(SettingError, match="SRL_ALLOW_INSECURE_BIND=1"):
        check_bind(uri, allow_insecure=False)
    assert caplog.text == ""
    check_bind(uri, allow_insecure=True)
    assert "open to anyone" in caplog.text


@pytest.mark.parametrize("uri", ["tcp://127.0.0.1:1", "tcp://localhost:1", "tcp://[::1]:1", "ipc:///tmp/x"])
def test_binding_to_this_machine_alone_is_fine(uri):
    check_bind(uri, allow_insecure=False)


def test_closing_leaves_no_descriptor():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        server = Server("tcp://127.0.0.1:*")
        client = Client(server.uri, new_incarnation())
        send_when_connected(client, [b"x"])
        client.close()
        server.close()
    assert len(os.listdir("/proc/self/fd")) == before
