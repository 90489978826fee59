"""The services as on several machines: over tcp, each with its own keys, and a Redis that knows its users."""

import shutil

import pytest
from redis_server import RedisServer, acl_file
from running import Cluster, until

from srl_common.errors import EXIT_USER
from srl_common.security import make_keys, revoke_key


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the roots of two clusters' keys."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        make_keys(folder / name)
    return folder


@pytest.fixture
def root(made, tmp_path):
    return shutil.copytree(made / "ours", tmp_path / "keys")


@pytest.fixture
def guarded_redis(root, tmp_path):
    (tmp_path / "redis").mkdir()
    server = RedisServer(tmp_path / "redis", "--aclfile", str(root / "redis" / acl_file()))
    yield server
    server.stop()


@pytest.fixture
def cluster(tmp_path, guarded_redis):
    with Cluster(tmp_path, store=guarded_redis.url) as cluster:
        yield cluster


def everywhere(uri):
    return uri.replace("127.0.0.1", "0.0.0.0")


def books(cluster, root):
    """Return the books, read as a person who has the keys of a client."""
    auth = (root / "client" / "redis.auth").read_text().strip()
    cluster.settings["store"] = cluster.settings["store"].replace("unix://", f"unix://{auth}@")
    return cluster.books()


def expect_refusal(service, says):
    assert service.wait(60.0) == EXIT_USER, service.said
    assert "Traceback" not in service.said
    assert says in service.said.splitlines()[-1]


def with_the_password_of(root, holder, keys, folder):
    """Make a folder with these keys and the password of `holder`: what is refused then is the key."""
    folder.mkdir(mode=0o700)
    for name in ("curve.secret", "curve.server"):
        shutil.copy(keys / name, folder)
    shutil.copy(root / holder / "redis.auth", folder)
    return folder


def test_with_keys_they_train_and_whoever_has_none_or_others_is_refused(cluster, root, made, tmp_path):
    """Where others reach them: the hosts listen on all addresses."""
    memory = cluster.start(
        "memory",
        keys_dir=root / "memory",
        memory_uri=everywhere(cluster.settings["memory_uri"]),
        trainer_uri=everywhere(cluster.settings["trainer_uri"]),
    )
    learner = cluster.start("learner", keys_dir=root / "learner")
    actor = cluster.start("actor", keys_dir=root / "actor")
    cluster.wait_for_training(learner)
    assert memory.metric("srl_insecure_bind") == 0

    without = cluster.start("actor", name="without", store=f"dir://{tmp_path}/elsewhere")
    disguised = with_the_password_of(root, "actor", root / "learner", tmp_path / "disguised")
    impostor = cluster.start("actor", name="impostor", keys_dir=disguised)
    foreign = with_the_password_of(root, "actor", made / "theirs" / "actor", tmp_path / "foreign")
    foreigner = cluster.start("actor", name="foreigner", keys_dir=foreign)
    expect_refusal(impostor, "'impostor' says that it is of the role 'actor', but its key is of 'learner'")
    expect_refusal(without, "the host wants keys, or is no host of SRL: set SRL_KEYS_DIR")
    until(lambda: "the host does not have the key" in foreigner.said, "it is told", 60.0)
    assert str(foreign / "curve.server") in foreigner.said
    assert memory.metric("srl_clients") == 2
    foreigner.drain()

    revoke_key(root, "actor")
    expect_refusal(actor, "the key of 'actor' has been revoked")
    learner.drain()
    memory.drain()
    found = books(cluster, root)
    assert found.items > 50
    assert (found.lost, found.duplicated) == (0, 0)


def test_a_learner_that_hosts_the_memory_uses_the_keys_of_a_host(cluster, root):
    learner = cluster.start("learner", keys_dir=root / "learner", memory_mode="learner")
    actor = cluster.start("actor", keys_dir=root / "actor")
    without = cluster.start("actor", name="without", store="memory://")
    cluster.wait_for_training(learner)
    expect_refusal(without, "the host wants keys, or is no host of SRL: set SRL_KEYS_DIR")
    actor.drain()
    learner.drain()


def test_control_where_that_is_allowed_a_stranger_comes_in_without_keys(tmp_path):
    with Cluster(tmp_path) as cluster:
        uris = {name: everywhere(cluster.settings[name]) for name in ("memory_uri", "trainer_uri")}
        memory = cluster.start("memory", allow_insecure_bind=1, **uris)
        stranger = cluster.start("actor", name="without")
        until(lambda: memory.metric("srl_clients") == 1, "admitted")
        assert memory.metric("srl_insecure_bind") == 1
        assert "is open to anyone who reaches it" in memory.said
        stranger.drain()
        memory.drain()
