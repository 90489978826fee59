"""Who may connect, and in which role: wrong keys of every kind, each beside the right one."""

import contextlib
import dataclasses
import shutil
import socket

import pytest
import zmq
from admitting import ENDPOINTS, Guest, House
from zmq.auth.thread import ThreadAuthenticator

from services.hosting.host import MemoryHost
from srl_common import admission, messages
from srl_common.admission import AllowList, Doorkeeper
from srl_common.errors import InternalError, SettingError
from srl_common.security import add_key, load_keys, make_keys, revoke_key, rotate_key
from srl_common.transport import Client, Server

FOLDER_OF = {"actor": "actor", "learner": "learner", "observer": "client"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the roots of two clusters' keys."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        make_keys(folder / name)
    return folder


@pytest.fixture
def ours(made, tmp_path):
    return shutil.copytree(made / "ours", tmp_path / "ours")


@pytest.fixture
def theirs(made):
    return made / "theirs"


@pytest.fixture(autouse=True)
def log_level(caplog):
    caplog.set_level("INFO")


@pytest.fixture
def stack():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def house(ours, stack):
    return stack.enter_context(contextlib.closing(House(load_keys(ours / "memory"))))


def guest(stack, *args, **options):
    return stack.enter_context(contextlib.closing(Guest(*args, **options)))


# --- keys that do not fit


def none(ours, theirs, role):
    return None


def unknown(ours, theirs, role):
    return dataclasses.replace(load_keys(ours / FOLDER_OF[role]), own_secret=zmq.curve_keypair()[1])


def of_another_cluster(ours, theirs, role):
    return load_keys(theirs / FOLDER_OF[role])


def of_another_cluster_that_knows_our_server(ours, theirs, role):
    ours_public = load_keys(ours / "actor").server_public
    return dataclasses.replace(load_keys(theirs / FOLDER_OF[role]), server_public=ours_public)


def for_another_server(ours, theirs, role):
    theirs_public = load_keys(theirs / "actor").server_public
    return dataclasses.replace(load_keys(ours / FOLDER_OF[role]), server_public=theirs_public)


def the_servers_own(ours, theirs, role):
    return dataclasses.replace(load_keys(ours / "memory"), own_secret=load_keys(ours / "memory").server_secret)


def revoked(ours, theirs, role):
    keys = load_keys(ours / FOLDER_OF[role])
    revoke_key(ours, FOLDER_OF[role])
    make_keys(ours)
    return keys


def replaced(ours, theirs, role):
    keys = load_keys(ours / FOLDER_OF[role])
    rotate_key(ours, FOLDER_OF[role])
    return keys


def of_a_named_holder_who_was_revoked(ours, theirs, role):
    keys = load_keys(add_key(ours, f"{'actor' if role == 'actor' else 'client'}-anna"))
    revoke_key(ours, keys.folder.name)
    return keys


NOT_ALLOWED = "does not allow the key"
WRONG_KEYS = {
    none: "the host wants keys, or is no host of SRL: set SRL_KEYS_DIR",
    unknown: NOT_ALLOWED,
    of_another_cluster: "the host does not have the key",
    of_another_cluster_that_knows_our_server: NOT_ALLOWED,
    for_another_server: "the host does not have the key",
    the_servers_own: NOT_ALLOWED,
    revoked: NOT_ALLOWED,
    replaced: NOT_ALLOWED,
    of_a_named_holder_who_was_revoked: NOT_ALLOWED,
}
ROLE_AT = {"worker": "actor", "trainer": "learner"}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("wrong", WRONG_KEYS, ids=lambda wrong: wrong.__name__)
def test_a_wrong_key_is_not_admitted_and_its_user_is_told(stack, house, ours, theirs, endpoint, wrong, caplog):
    role = ROLE_AT[endpoint]
    stranger = guest(stack, house, endpoint, role, wrong(ours, theirs, role))
    assert not stranger.is_admitted(caplog)
    assert WRONG_KEYS[wrong] in stranger.said(caplog)
    assert house.heard == []
    assert guest(stack, house, endpoint, role, load_keys(ours / FOLDER_OF[role])).is_admitted(caplog)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("key_role", FOLDER_OF)
@pytest.mark.parametrize("role", FOLDER_OF)
def test_a_key_admits_in_its_own_role_only(stack, house, ours, endpoint, role, key_role, caplog):
    client = guest(stack, house, endpoint, role, load_keys(ours / FOLDER_OF[key_role]))
    assert client.is_admitted(caplog) == (role == key_role)
    if role != key_role:
        assert f"'a-{role}' says that it is of the role '{role}', but its key is of '{key_role}'" in client.refusal
        assert "SRL_KEYS_DIR" in client.refusal
        assert house.host.count["refused"] == 1


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_key_at_a_host_without_keys_is_told(stack, ours, endpoint, caplog):
    plain = stack.enter_context(contextlib.closing(House(None)))
    role = ROLE_AT[endpoint]
    client = guest(stack, plain, endpoint, role, load_keys(ours / FOLDER_OF[role]))
    assert not client.is_admitted(caplog)
    assert "runs without keys" in client.said(caplog)
    assert guest(stack, plain, endpoint, role, None).is_admitted(caplog)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_password_of_zeromqs_own_does_not_admit(stack, house, ours, endpoint, caplog):
    context = stack.enter_context(zmq.Context())
    dealer = stack.enter_context(context.socket(zmq.DEALER))
    dealer.linger = 0
    dealer.plain_username, dealer.plain_password = b"actor", b"actor"
    dealer.connect(house.uri(endpoint))
    with contextlib.suppress(zmq.Again):  # ZeroMQ has given up already
        dealer.send(b"hello", zmq.NOBLOCK)
    role = ROLE_AT[endpoint]
    assert guest(stack, house, endpoint, role, load_keys(ours / FOLDER_OF[role])).is_admitted(caplog)
    assert len(house.heard) == 1


def test_between_processes_of_one_machine_no_keys_are_used(stack, ours, tmp_path, caplog):
    for name in ENDPOINTS:
        server = stack.enter_context(
            contextlib.closing(Server(f"ipc://{tmp_path}/{name}", keys=load_keys(ours / "memory")))
        )
        client = stack.enter_context(contextlib.closing(Client(server.uri, b"\x01" * 16, load_keys(ours / "actor"))))
        stranger = stack.enter_context(contextlib.closing(Client(server.uri, b"\x02" * 16)))
        for each in (client, stranger):
            while not each.send([b"hello"]):
                each.wait(0.01)
            assert server.wait(5.0)
            assert server.receive()[2] is None


# --- controls: without what protects, strangers come in


def test_control_with_an_allow_list_that_allows_all_a_stranger_is_admitted(stack, ours, theirs, monkeypatch, caplog):
    monkeypatch.setattr(AllowList, "role", lambda self, public: "actor")
    monkeypatch.setattr(admission, "_prove", lambda *_: None)
    house = stack.enter_context(contextlib.closing(House(load_keys(ours / "memory"))))
    for endpoint in ENDPOINTS:
        assert guest(stack, house, endpoint, "actor", unknown(ours, theirs, "actor")).is_admitted(caplog)


def test_control_without_the_check_of_the_role_an_actors_key_is_a_learner(stack, house, ours, monkeypatch, caplog):
    monkeypatch.setattr(MemoryHost, "_check_key", lambda *_: None)
    assert guest(stack, house, "trainer", "learner", load_keys(ours / "actor")).is_admitted(caplog)


@pytest.mark.parametrize("enforced", [True, False])
def test_when_nobody_answers_a_host_admits_nobody_and_without_insisting_anyone(stack, ours, theirs, enforced, caplog):
    house = stack.enter_context(contextlib.closing(House(load_keys(ours / "memory"))))
    server = house.servers["worker"]
    server._doorkeeper.close()
    server.socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, int(enforced))
    server.socket.bind("tcp://127.0.0.1:*")  # options count for what is bound after them
    server.uri = server.socket.last_endpoint.decode()
    stranger = stack.enter_context(contextlib.closing(Client(server.uri, b"\x01" * 16, unknown(ours, theirs, "actor"))))
    sent = False
    while not (sent := stranger.send([b"hello"])) and "no connection to" not in caplog.text:
        stranger.wait(0.01)
    assert sent is not enforced
    assert server.wait(5.0 if sent else 0.0) is not enforced


# --- a host proves that it refuses before anybody can come


def test_a_host_whose_doorkeeper_lets_all_in_does_not_start(ours, monkeypatch):
    monkeypatch.setattr(Doorkeeper, "callback", lambda *_: True)
    with pytest.raises(InternalError, match=r"what should refuse unknown keys does not: .*200"):
        Server("tcp://127.0.0.1:*", keys=load_keys(ours / "memory"))


def test_a_host_whose_doorkeeper_does_not_answer_does_not_start(ours, monkeypatch):
    monkeypatch.setattr(ThreadAuthenticator, "start", lambda self: None)
    monkeypatch.setattr(admission, "ANSWER_TIMEOUT_S", 0.05)
    with pytest.raises(InternalError, match="what should refuse unknown keys does not: no answer"):
        Server("tcp://127.0.0.1:*", keys=load_keys(ours / "memory"))


def test_with_keys_a_host_may_listen_where_others_reach_it(stack, ours):
    server = stack.enter_context(contextlib.closing(Server("tcp://0.0.0.0:*", keys=load_keys(ours / "memory"))))
    assert not server.open_to_strangers


def test_without_keys_it_may_not_unless_that_is_said(stack):
    with pytest.raises(SettingError, match=r"set SRL_KEYS_DIR .* or set SRL_ALLOW_INSECURE_BIND=1"):
        Server("tcp://0.0.0.0:*")
    server = stack.enter_context(contextlib.closing(Server("tcp://0.0.0.0:*", allow_insecure=True)))
    assert server.open_to_strangers
    loopback = stack.enter_context(contextlib.closing(Server("tcp://127.0.0.1:*", allow_insecure=True)))
    assert not loopback.open_to_strangers


@pytest.mark.parametrize("holder", ["actor", "client"])
def test_the_keys_of_a_client_do_not_make_a_host(ours, holder):
    with pytest.raises(SettingError, match=rf"SRL_KEYS_DIR: no server.secret in .*{holder}: who hosts the Memory"):
        Server("tcp://127.0.0.1:*", keys=load_keys(ours / holder))


def test_the_keys_of_the_memory_service_do_not_make_a_client(ours):
    with pytest.raises(SettingError, match=r"SRL_KEYS_DIR: no curve.secret in .*memory: who connects needs a key"):
        Client("tcp://127.0.0.1:1", b"\x01" * 16, load_keys(ours / "memory"))


def test_a_host_with_an_empty_list_does_not_start(ours):
    (ours / "memory" / "allowed").unlink()
    with pytest.raises(SettingError, match=r"memory/allowed allows nobody to connect"):
        Server("tcp://127.0.0.1:*", keys=load_keys(ours / "memory"))


# --- while the host runs


def test_a_key_that_is_revoked_loses_its_connection_and_others_keep_theirs(stack, house, ours, caplog):
    actor = guest(stack, house, "worker", "actor", load_keys(ours / "actor"))
    learner = guest(stack, house, "trainer", "learner", load_keys(ours / "learner"))
    assert actor.is_admitted(caplog)
    assert learner.is_admitted(caplog)
    revoke_key(ours, "actor")
    assert not actor.try_until(lambda: False)
    assert actor.refusal == "the key of 'a-actor' has been revoked"
    beats = len(house.heard)
    assert learner.try_until(lambda: len(house.heard) > beats)
    assert {client.name for client in house.host.living()} == {"a-learner"}


def test_control_with_a_list_that_is_not_read_again_a_revoked_key_stays(stack, house, ours, monkeypatch, caplog):
    monkeypatch.setattr(AllowList, "_read_again", lambda self: None)
    actor = guest(stack, house, "worker", "actor", load_keys(ours / "actor"))
    assert actor.is_admitted(caplog)
    revoke_key(ours, "actor")
    beats = len(house.heard)
    assert actor.try_until(lambda: len(house.heard) > beats + 1)
    assert actor.refusal == ""


def test_a_key_that_is_added_is_admitted_without_a_new_start(stack, house, ours, caplog):
    keys = load_keys(add_key(ours, "client-anna"))
    assert guest(stack, house, "trainer", "observer", keys).is_admitted(caplog)


def test_a_client_whose_host_comes_later_is_admitted_then(stack, ours, caplog):
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        uri = f"tcp://127.0.0.1:{reserved.getsockname()[1]}"
    client = stack.enter_context(contextlib.closing(Client(uri, b"\x01" * 16, load_keys(ours / "actor"))))
    assert not client.send([b"hello"])
    server = stack.enter_context(contextlib.closing(Server(uri, keys=load_keys(ours / "memory"))))
    while not client.send([b"hello"]):
        client.wait(0.01)
    assert server.wait(5.0)
    assert server.receive()[2] == "actor"


def test_a_damaged_list_leaves_the_one_before_it_in_force(stack, house, ours, theirs, caplog):
    good = (ours / "memory" / "allowed").read_text()
    (ours / "memory" / "allowed").write_text(good + "and anyone else")
    assert guest(stack, house, "worker", "actor", load_keys(ours / "actor")).is_admitted(caplog)
    assert not guest(stack, house, "worker", "actor", unknown(ours, theirs, "actor")).is_admitted(caplog)
    (ours / "memory" / "allowed").write_text(good)
    caplog.clear()
    assert house.servers["worker"]._allowed.role(load_keys(ours / "client").own_public) == "observer"
    assert "3 keys are allowed now" in caplog.text


def test_of_a_damaged_list_the_log_tells(ours, caplog):
    allowed = AllowList(ours / "memory" / "allowed")
    (ours / "memory" / "allowed").write_bytes(b"\xff nonsense \xfe")
    public = load_keys(ours / "actor").own_public
    assert [allowed.role(public) for _ in range(3)] == ["actor"] * 3
    assert caplog.text.count("the keys allowed before stay allowed") == 1


def test_a_list_that_is_gone_allows_nobody(ours):
    allowed = AllowList(ours / "memory" / "allowed")
    (ours / "memory" / "allowed").unlink()
    assert allowed.role(load_keys(ours / "actor").own_public) == ""


def test_who_has_been_refused_for_a_revoked_key_is_a_stranger(stack, house, ours, caplog):
    actor = guest(stack, house, "worker", "actor", load_keys(ours / "actor"))
    assert actor.is_admitted(caplog)
    revoke_key(ours, "actor")
    assert not actor.try_until(lambda: False)
    actor.refusal = ""
    actor.link.send(messages.Beat({}))
    assert not actor.try_until(lambda: False)  # it is told that it is a stranger, and says Hello
    assert house.host.count["strangers"] == 1
    assert actor.refusal == "the key of 'a-actor' has been revoked"


def test_the_proof_at_the_start_is_no_refusal_that_an_operator_has_to_look_into(stack, ours, caplog):
    server = stack.enter_context(contextlib.closing(Server("tcp://127.0.0.1:0", keys=load_keys(ours / "memory"))))
    assert server.uri
    assert "refused" not in caplog.text
