"""Settings: one reading of the environment, and clear words for every mistake in it."""

import os
import socket

import pytest

from srl_common import settings
from srl_common.errors import SettingError
from srl_common.settings import ActorSettings, LearnerSettings, MemorySettings, read


def test_defaults_need_no_environment():
    assert read(ActorSettings, {}) == ActorSettings(name=f"actor-{socket.gethostname()}-{os.getpid()}")


def test_a_flag_wins_over_the_environment_which_wins_over_the_default():
    environ = {"SRL_CHUNK_ITEMS": "7", "SRL_NAME": "from-environment"}
    read_in = read(ActorSettings, environ, ["--name", "from-flag"])
    assert (read_in.chunk_items, read_in.name) == (7, "from-flag")


@pytest.mark.parametrize("kind", [ActorSettings, MemorySettings, LearnerSettings])
def test_settings_survive_the_way_through_an_environment(kind):
    changed = kind(name="x", exit_with_stdin=True, drain_timeout_s=1.5)
    assert read(kind, settings.to_environ(changed)) == changed


def test_a_misspelt_name_is_refused_with_the_nearest_one():
    with pytest.raises(SettingError, match="SRL_CHUNK_ITEM is no setting: did you mean SRL_CHUNK_ITEMS"):
        read(ActorSettings, {"SRL_CHUNK_ITEM": "3"})


def test_an_unknown_name_is_refused_with_the_list():
    with pytest.raises(SettingError, match="SRL_XYZZY is no setting: the settings are SRL_JOB"):
        read(ActorSettings, {"SRL_XYZZY": "3"})


def test_a_setting_of_another_service_is_no_mistake():
    assert read(ActorSettings, {"SRL_PREFETCH_BATCHES": "3"}) == read(ActorSettings, {})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SRL_CHUNK_ITEMS", "many", "a whole number is wanted"),
        ("SRL_CHUNK_ITEMS", "0", "must be at least 1 "),
        ("SRL_CHUNK_AGE_MS", "nan", "a finite number is wanted"),
        ("SRL_DRAIN_TIMEOUT_S", "-1", "must be at least 0"),
        ("SRL_EXIT_WITH_STDIN", "maybe", "write 1 or 0"),
        ("SRL_LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
    ],
)
def test_a_bad_value_is_refused_by_name(name, value, says):
    with pytest.raises(SettingError, match=f"{name}={value}: {says}"):
        read(ActorSettings, {name: value})


@pytest.mark.parametrize("text", ["9090", "localhost", "localhost:http", "localhost:65536", "localhost:²"])
def test_a_bad_metrics_address_is_refused(text):
    with pytest.raises(SettingError, match="SRL_METRICS_BIND=.*: write host:port, or off"):
        settings.split_bind(text)


def test_metrics_address():
    assert settings.split_bind("off") is None
    assert settings.split_bind("127.0.0.1:0") == ("127.0.0.1", 0)
