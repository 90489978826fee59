"""The folders of keys: made once, completed, replaced, revoked; never readable by others."""

import shutil
import stat
import subprocess
import sys

import pytest
import zmq

from srl_common import security
from srl_common.errors import CorruptError, SettingError, StorageError
from srl_common.security import (
    add_key,
    fingerprint,
    list_keys,
    load_keys,
    load_redis_login,
    make_keys,
    revoke_key,
    rotate_key,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("keys") / "keys"
    make_keys(root)
    return root


@pytest.fixture
def root(made, tmp_path):
    return shutil.copytree(made, tmp_path / "keys")


def contents(root):
    """Return each file's text, mode and time of change."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
    }


def texts(root):
    return {name: text for name, (text, _, _) in contents(root).items()}


def holders(root):
    return {key.holder: key.fingerprint for key in list_keys(root)}


def is_consistent(root):
    """Each holder's key is allowed in its role, both hosts have one key, and Redis knows each password."""
    server = zmq.curve_public(load_keys(root / "memory").server_secret)
    assert server == zmq.curve_public(load_keys(root / "learner").server_secret)
    allowed = security.read_allowed(root / "memory" / "allowed")
    assert allowed == security.read_allowed(root / "learner" / "allowed")
    for holder in security.HOLDERS:
        keys = load_keys(root / holder)
        assert keys.server_public == server
        if keys.own_secret:
            assert allowed[keys.own_public] == (security.KEY_ROLES[holder], holder)
    return True


def test_each_role_has_its_own_folder_and_no_more_than_it_needs(root):
    assert {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} == {
        "memory/server.secret", "memory/curve.server", "memory/allowed", "memory/redis.auth",
        "learner/server.secret", "learner/curve.server", "learner/allowed", "learner/redis.auth",
        "learner/curve.secret", "actor/curve.secret", "actor/curve.server", "actor/redis.auth",
        "client/curve.secret", "client/curve.server", "client/redis.auth",
        "redis/users.acl", "redis/users-redis6.acl",
    }  # fmt: skip
    assert is_consistent(root)


def test_only_the_owner_can_read(root):
    for path in [root, *root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_second_time_nothing_changes(root):
    before = contents(root)
    make_keys(root)
    assert contents(root) == before


def test_two_at_once_agree(tmp_path):
    program = "import sys; from srl_common.security import make_keys; make_keys(sys.argv[1])"
    makers = [subprocess.Popen([sys.executable, "-c", program, tmp_path / "keys"]) for _ in range(3)]
    assert [maker.wait(30) for maker in makers] == [0, 0, 0]
    assert is_consistent(tmp_path / "keys")


def test_no_file_that_is_missing_stays_missing_and_what_is_there_is_kept(root):
    before = texts(root)
    for name in before:
        (root / name).unlink()
        make_keys(root)
        assert is_consistent(root)
        now = texts(root)
        assert now.keys() == before.keys()
        for each in before:
            secret = name.endswith(("curve.secret", "redis.auth"))
            lists = each.endswith(("allowed", ".acl"))
            assert now[each] == before[each] or (secret and (each == name or lists)), (name, each)
        before = now


def test_what_was_half_written_when_someone_was_killed_does_not_matter(root):
    before = texts(root)
    (root / "actor" / "curve.secret.tmp").write_text("half")
    (root / "actor" / "curve.secret").unlink()
    make_keys(root)
    assert texts(root).keys() == before.keys()
    assert is_consistent(root)


def test_rotating_replaces_every_secret_and_all_that_were_handed_out(root):
    add_key(root, "client-anna")
    before = texts(root)
    make_keys(root, rotate=True)
    now = texts(root)
    assert set(before) - set(now) == {f"client-anna/{name}" for name in ("curve.secret", "curve.server", "redis.auth")}
    assert not [name for name in now if now[name] == before[name]]
    assert is_consistent(root)


def test_a_named_holder_has_a_key_and_a_password_of_its_own(root):
    folder = add_key(root, "client-anna")
    keys = load_keys(folder)
    assert security.read_allowed(root / "memory" / "allowed")[keys.own_public] == ("observer", "client-anna")
    assert (folder / "redis.auth").read_text().startswith("client-anna:")
    assert "user client-anna " in (root / "redis" / "users.acl").read_text()
    assert keys.server_secret == b""


def test_a_named_holder_whose_folder_was_moved_away_is_still_allowed(root, tmp_path):
    key = load_keys(add_key(root, "actor-farm-2").rename(tmp_path / "elsewhere"))
    make_keys(root)
    assert security.read_allowed(root / "memory" / "allowed")[key.own_public] == ("actor", "actor-farm-2")
    assert holders(root)["actor-farm-2"] == fingerprint(key.own_public)
    assert "user actor-farm-2 " in (root / "redis" / "users.acl").read_text()


def test_a_named_holders_folder_can_be_made_elsewhere(root, tmp_path):
    assert add_key(root, "client-anna", tmp_path / "anna") == tmp_path / "anna"
    assert not (root / "client-anna").exists()
    keys = load_keys(tmp_path / "anna")
    assert holders(root)["client-anna"] == fingerprint(keys.own_public)
    assert stat.S_IMODE((tmp_path / "anna").stat().st_mode) == 0o700


def test_a_folder_that_has_the_keys_of_another_is_refused(root):
    with pytest.raises(SettingError, match="actor is not empty: name a folder of its own for 'client-anna'"):
        add_key(root, "client-anna", root / "actor")
    assert "client-anna" not in holders(root)


@pytest.mark.parametrize("to", ["/proc/anna", "/dev/null"])
def test_a_folder_that_cannot_be_made_is_refused_and_nobody_is_added(root, to):
    with pytest.raises(SettingError, match="keys cannot be kept in"):
        add_key(root, "client-anna", to)
    assert "client-anna" not in holders(root)


@pytest.mark.parametrize("holder", ["actor", "client", "learner", "client-anna"])
def test_rotating_one_key_leaves_the_others(root, holder):
    add_key(root, "client-anna")
    before, auth = holders(root), (root / holder / "redis.auth").read_text()
    assert rotate_key(root, holder) == root / holder
    assert {each for each, print_ in holders(root).items() if print_ != before[each]} == {holder}
    assert (root / holder / "redis.auth").read_text() != auth
    assert is_consistent(root)


def test_a_revoked_holder_is_in_no_list_and_its_folder_is_empty_of_secrets(root):
    add_key(root, "client-anna")
    revoke_key(root, "client-anna")
    revoke_key(root, "actor")
    assert set(holders(root)) == {"server", "learner", "client"}
    assert not (root / "client-anna").exists()
    assert [path.name for path in (root / "actor").iterdir()] == ["curve.server"]
    acl = (root / "redis" / "users.acl").read_text()
    assert "user actor " not in acl
    assert "anna" not in acl


def test_a_revoked_role_gets_another_key_not_the_old_one(root):
    before = holders(root)
    revoke_key(root, "actor")
    make_keys(root)
    assert set(holders(root)) == set(before)
    assert holders(root)["actor"] != before["actor"]


def test_the_memory_services_password_can_be_replaced_and_it_has_no_key(root):
    before = (root / "memory" / "redis.auth").read_text()
    rotate_key(root, "memory")
    assert (root / "memory" / "redis.auth").read_text() != before
    assert load_keys(root / "memory").own_public == b""


def test_secrets_are_not_shown(root):
    keys = load_keys(root / "learner")
    for secret in (keys.own_secret, keys.server_secret):
        assert secret.decode() not in repr(keys)
        assert secret.decode() not in repr(list_keys(root))


def test_without_a_folder_there_are_no_keys():
    assert load_keys("") is None


# --- what can be wrong


@pytest.mark.parametrize(
    "name", ["anna", "memory-two", "client-", "client-Anna", "client-../x", "observer-x", "client"]
)
def test_a_holder_that_cannot_be_is_refused(root, name):
    with pytest.raises(SettingError, match="is no holder's name: write actor-NAME or client-NAME"):
        add_key(root, name)


def test_a_holder_twice_is_refused(root):
    add_key(root, "client-anna")
    with pytest.raises(SettingError, match="'client-anna' has a key already"):
        add_key(root, "client-anna")


@pytest.mark.parametrize("change", [rotate_key, revoke_key])
def test_a_holder_that_is_not_known_is_refused(root, change):
    before = contents(root)
    with pytest.raises(SettingError, match="no key of 'client-bob' in .*: the holders are actor, client, learner"):
        change(root, "client-bob")
    assert contents(root) == before


def test_a_root_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "keys").write_text("mine")
    with pytest.raises(SettingError, match=r"keys cannot be kept in .*File exists .*; choose a folder"):
        make_keys(tmp_path / "keys")
    assert (tmp_path / "keys").read_text() == "mine"


def test_a_root_that_cannot_be_written_is_refused():
    with pytest.raises(SettingError, match=r"keys cannot be kept in /proc/keys: .*; choose a folder"):
        make_keys("/proc/keys")


def test_where_nothing_was_made_there_is_nothing_to_list_or_to_change(tmp_path):
    for change in (list_keys, lambda root: rotate_key(root, "actor"), lambda root: revoke_key(root, "actor")):
        with pytest.raises(SettingError, match="there are no keys in .*: make them with `srl keys make`"):
            change(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_keys_is_refused(root, tmp_path):
    for folder in (root, tmp_path / "nowhere"):
        with pytest.raises(SettingError, match=r"SRL_KEYS_DIR: no curve.server in .*: name the folder of one holder"):
            load_keys(folder)


@pytest.mark.parametrize("name", ["curve.secret", "server.secret", "redis.auth"])
def test_a_secret_that_others_can_read_is_refused(root, name):
    (root / "learner" / name).chmod(0o640)
    assert load_keys(root / "learner")
    (root / "learner" / name).chmod(0o644)
    with pytest.raises(SettingError, match=f"{name} can be read by others: chmod 600"):
        load_keys(root / "learner")
    make_keys(root)
    assert load_keys(root / "learner")


def test_a_folder_that_others_can_read_is_closed(root):
    (root / "actor").chmod(0o755)
    make_keys(root)
    assert stat.S_IMODE((root / "actor").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("actor/curve.secret", "short"),
        ("memory/server.secret", "x" * 40 + "y"),
        ("memory/allowed", "x" * 40),
        ("memory/allowed", "x" * 40 + " boss actor"),
        ("memory/allowed", "short actor actor"),
        ("memory/allowed", "x" * 40 + " \udcff\udcfe actor"),
        ("actor/curve.secret", "\udcff" * 40),
        ("actor/redis.auth", "learner:password"),
        ("actor/redis.auth", "actor:"),
        ("redis/users.acl", "user mallory on nopass +@all ~*"),
        ("redis/users.acl", "user mallory on #00 +@all ~*"),
        ("redis/users.acl", "user actor on #00 #11 +@all ~*"),
    ],
)
def test_what_is_damaged_is_named_and_left_alone(root, name, text):
    (root / name).write_bytes(text.encode(errors="surrogateescape"))
    before = contents(root)
    with pytest.raises(CorruptError, match=name):
        make_keys(root)
    assert contents(root) == before


def test_a_file_that_cannot_be_read_is_named(root):
    (root / "actor" / "curve.secret").unlink()
    (root / "actor" / "curve.secret").mkdir(mode=0o700)
    with pytest.raises(StorageError, match=r"curve.secret cannot be read: Is a directory"):
        load_keys(root / "actor")


def test_a_folder_that_cannot_be_looked_into_is_named():
    with pytest.raises(SettingError, match="SRL_KEYS_DIR: .*redis.auth cannot be read: File name too long"):
        load_redis_login("x" * 300)
