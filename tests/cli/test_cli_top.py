"""srl top and srl doctor: on real pages of metrics, a real Prometheus, and a real Redis with users."""

import io
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis_server import RedisServer
from started import INTERRUPTED, started

from srl import __version__
from srl.cli import doctor, screen, view
from srl.cli.pages import Page, parse, read_pages, resolve
from srl.utils.usage import UsageError
from srl_common import metrics
from srl_common.messages import PROTOCOL
from srl_common.security import load_keys, make_keys
from srl_common.service import Health, Pages
from srl_common.transport import Server

BUILD = {"version": __version__, "protocol": str(PROTOCOL), "python": "3.11"}


class Service:
    """The pages of one service; `values` are its counters."""

    def __init__(self, definitions, name, job="job-7", **values):
        self.values = {"srl_build_info": {**BUILD, "name": name}, "srl_ready": 1, "srl_loop_age_seconds": 0.0, **values}
        registry = metrics.make_registry((*metrics.SERVICE, *definitions), lambda: self.values, job)
        self.pages = Pages(("127.0.0.1", 0), Health(), lambda: metrics.exposition(registry))
        self.address = f"127.0.0.1:{self.pages.port}"


@pytest.fixture
def services():
    found = {
        "actor-0": Service(metrics.ACTOR, "actor-0", srl_env_steps_total=100, srl_credit_wait_seconds_total=1.0,
                           srl_episodes_total=5, srl_episode_reward_mean=2.0, srl_parameter_age_seconds=0.5),
        "actor-1": Service(metrics.ACTOR, "actor-1", srl_env_steps_total=300, srl_credit_wait_seconds_total=1.0,
                           srl_episodes_total=5, srl_episode_reward_mean=4.0),
        "memory": Service(metrics.HOST, "memory", srl_memory_length_items=50, srl_inserted_items_total={"add": 400},
                          srl_clients={"actor": 2, "learner": 1}, srl_journal_bytes=4096),
        "learner": Service(metrics.LEARNER, "learner", srl_train_count_total=10, srl_trainer_version=10,
                           srl_sample_wait_seconds_total=0.0, srl_snapshot_failures_total=0),
    }  # fmt: skip
    yield found
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda service: service.pages.close(), found.values()))


def look(services, at_s):
    return read_pages([service.address for service in services.values()], at_s)


@pytest.fixture
def seen(services):
    """A cluster after two looks, ten seconds apart."""
    cluster = view.Cluster()
    cluster.note(look(services, 0.0))
    services["actor-0"].values |= {"srl_env_steps_total": 1100, "srl_episode_reward_mean": 6.0}
    services["learner"].values |= {
        "srl_train_count_total": 60,
        "srl_trainer_version": 60,
        "srl_sample_wait_seconds_total": 5.0,
    }
    services["memory"].values["srl_inserted_items_total"] = {"add": 1400}
    cluster.note(look(services, 10.0))
    return cluster


def test_rates_rewards_and_tables(seen):
    plain = seen.plain()
    assert plain["jobs"] == ["job-7"]
    assert plain["actors"]["actor-0"]["steps/s"] == 100
    assert plain["actors"]["actor-1"]["steps/s"] == 0
    assert plain["learners"]["learner"]["updates/s"] == 5
    assert plain["memories"]["memory"]["inserts/s"] == 100
    assert plain["memories"]["memory"]["items"] == 50
    assert list(seen.rewards) == [3.0, 5.0]
    assert plain["errors"] == plain["idle"] == []


def test_who_waits_for_whom(services, seen):
    assert seen.waiting == "the learner waits 50 % of the time; more actors would help"
    for name in ("actor-0", "actor-1"):
        services[name].values["srl_credit_wait_seconds_total"] = 19.0
    seen.note(look(services, 20.0))
    assert seen.waiting == "the actors wait 90 % of the time; the memory service is busy"
    services["memory"].values["srl_memory_has_room"] = 0
    seen.note(look(services, 21.0))
    assert seen.waiting.endswith("too much waits for the learner: fewer actors would do")


@pytest.mark.parametrize(
    ("metric", "learner_s", "actor_s", "text"),
    [
        (
            "srl_batches_wait_seconds_total",
            8.0,
            1.0,
            "the learner waits 80 % of the time; the limiter holds it back: more",
        ),
        ("srl_inserts_wait_seconds_total", 0.0, 9.0, "the actors wait 80 % of the time; the limiter holds them back"),
    ],
)
def test_the_limiter_lets_somebody_wait(services, metric, learner_s, actor_s, text):
    services["memory"].values[metric] = 0.0
    cluster = view.Cluster()
    cluster.note(look(services, 0.0))
    services["memory"].values[metric] = 9.0
    services["learner"].values["srl_sample_wait_seconds_total"] = learner_s
    for name in ("actor-0", "actor-1"):
        services[name].values["srl_credit_wait_seconds_total"] = actor_s
    cluster.note(look(services, 10.0))
    assert cluster.waiting.startswith(text)


def test_nobody_waits_much(services):
    cluster = view.Cluster()
    assert cluster.waiting == "who waits for whom is not known yet"
    cluster.note(look(services, 0.0))
    cluster.note(look(services, 10.0))
    assert cluster.waiting == "nobody waits much (actors 0 %, learner 0 % of the time)"


def test_a_service_that_is_started_anew_has_no_negative_rate(services, seen):
    services["actor-0"].values["srl_env_steps_total"] = 5
    seen.note(look(services, 11.0))
    assert seen.plain()["actors"]["actor-0"]["steps/s"] is None
    services["actor-0"].values["srl_env_steps_total"] = 25
    seen.note(look(services, 12.0))
    assert seen.plain()["actors"]["actor-0"]["steps/s"] == 20


def test_errors(services, seen):
    services["learner"].values |= {"srl_snapshot_failures_total": 2}
    services["memory"].values |= {"srl_loop_age_seconds": 30.0, "srl_insecure_bind": 1}
    services["actor-1"].pages.close()
    seen.note(look(services, 12.0))
    seen.note(look(services, 15.0))
    errors = "\n".join(seen.errors)
    assert f"{services['actor-1'].address} does not answer: " in errors
    assert "memory: its loop has not turned for 30 s" in errors
    assert "learner: 2 snapshots that the store refused, the last 3 s ago" in errors
    assert "memory: strangers may connect" in errors


def test_a_service_without_a_job_is_idle(services):
    idle = Service((), "actor-9", job="")
    try:
        cluster = view.Cluster()
        cluster.note(read_pages([idle.address, services["memory"].address], 0.0))
    finally:
        idle.pages.close()
    assert cluster.idle == ["actor-9"]
    assert cluster.jobs == ["job-7"]


def test_sparklines():
    assert screen.sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert screen.sparkline([0, 1, 2], 2) == "▁█"
    assert screen.sparkline([3, 3], 9) == "▁▁"
    assert screen.sparkline([], 9) == ""


@pytest.mark.parametrize(("width", "height"), [(120, 40), (60, 12), (30, 8)])
def test_it_fits_on_the_screen(seen, width, height):
    from rich.console import Console

    console = Console(width=width, height=height, record=True, file=io.StringIO())
    console.print(screen.screen(seen, width, height))
    text = console.export_text()
    assert "job-7" in text
    assert all(len(line) <= width for line in text.splitlines())


def test_many_actors_are_cut(seen):
    row = seen.actors[0]
    table = screen._table("actor", [row] * 20, 80, 5)
    assert table.row_count == 6


def test_columns_that_do_not_fit_are_left_out(seen):
    tables = [screen._table("memory", seen.memories, width, 9) for width in (200, 60, 5)]
    shown = [[column.header for column in table.columns] for table in tables]
    assert len(shown[0]) == 1 + len(seen.memories[0].cells)
    assert shown[1] == shown[0][: len(shown[1])]
    assert 3 < len(shown[1]) < len(shown[0])
    assert shown[2] == ["memory"]


def test_once_on_pages(srl, services):
    addresses = ",".join(service.address for service in services.values())
    text = srl("top", "--once", "--pages", addresses).stdout
    assert "job-7: nobody waits much" in text
    assert "reward 3 (3 to 3)" in text
    plain = json.loads(srl("top", "--json", "--pages", addresses).stdout)
    assert plain["actors"]["actor-1"]["reward"] == 4.0


def test_one_name_stands_for_many_addresses():
    assert resolve(["localhost:9100", "127.0.0.1:9100"]) == ["127.0.0.1:9100"]
    assert resolve(["127.0.0.1"]) == ["127.0.0.1:9100"]
    for wrong in ("no.such.host.invalid:1", "127.0.0.1:port"):
        with pytest.raises(UsageError, match=f"--pages {wrong}"):
            resolve([wrong])


def test_what_is_no_page_of_metrics():
    assert "no page of metrics" in parse("x:1", "srl_x{ 1\n", 0.0).error
    assert parse("x:1", "other 1\n", 0.0).values == {}


def test_where_the_metrics_are_must_be_known(srl, redis_server):
    assert (
        "where are the metrics? --prometheus" in srl("top", "--once", "--cluster", redis_server.url, exit_code=2).stderr
    )
    assert (
        "does not answer as a Prometheus"
        in srl("top", "--once", "--prometheus", "http://127.0.0.1:1", exit_code=2).stderr
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="no Prometheus here")
def test_it_asks_a_prometheus(srl, services, tmp_path):
    targets = json.dumps([service.address for service in services.values()])
    (tmp_path / "p.yml").write_text(
        f"global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}\n"
        f"scrape_configs: [{{job_name: srl, static_configs: [{{targets: {targets}}}]}}]\n"
    )
    port = free_port()
    command = [
        "prometheus", f"--config.file={tmp_path / 'p.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with started(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        plain = wait_for(lambda: asked(srl, port))
        process.terminate()
    assert plain["actors"]["actor-0"]["reward"] == 2.0
    assert plain["jobs"] == ["job-7"]


def asked(srl, port):
    """Return what top says once Prometheus has read all services; None before."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query=count(srl_ready)") as answer:
            if json.load(answer)["data"]["result"][0]["value"][1] != "4":
                return None
    except (OSError, IndexError):
        return None
    return json.loads(srl("top", "--json", "--prometheus", f"http://127.0.0.1:{port}").stdout)


def wait_for(what, timeout_s=30.0):
    end_s = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < end_s
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("end", ["q", "control-c"])
def test_it_runs_on_a_terminal_until_somebody_quits(services, end):
    """With q on the keyboard; with Ctrl-C also where there is no keyboard."""
    ours, theirs = pty.openpty()
    addresses = ",".join(service.address for service in services.values())
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    command = [sys.executable, "-m", "srl", "top", "--pages", addresses]
    keyboard = theirs if end == "q" else subprocess.DEVNULL
    with started(command, stdin=keyboard, stdout=theirs, stderr=subprocess.PIPE, env=environ) as process:
        os.close(theirs)
        text = b""
        while b"actor-1" not in text:
            text += os.read(ours, 65536)
        if end == "q":
            os.write(ours, b"q")
        else:
            process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
    os.close(ours)
    assert process.returncode in ({0} if end == "q" else INTERRUPTED)
    assert errors == (b"" if end == "q" else b"interrupted\n")
    assert b"job-7" in text


# --- doctor


def checks(result):
    return {check["what"]: check for check in json.loads(result.stdout)}


@pytest.fixture
def guarded(tmp_path):
    """A Redis with users, and the keys of its client."""
    make_keys(tmp_path / "keys")
    server = RedisServer(tmp_path, "--aclfile", str(tmp_path / "keys" / "redis" / "users.acl"))
    yield server.url, tmp_path / "keys" / "client"
    server.stop()


def test_a_healthy_redis(srl, guarded):
    uri, keys = guarded
    found = checks(srl("doctor", "--cluster", uri, "--keys", keys, "--json"))
    assert {name for name, check in found.items() if check["result"] == "problem"} == set()
    assert "answers, version" in found["redis"]["text"]
    assert found["clock"]["result"] == found["keys"]["result"] == found["job board"]["result"] == "ok"
    assert found["job board"]["text"] == "0 jobs, none is running"
    assert "redis memory" in srl("doctor", "--cluster", uri, "--keys", keys).stdout


def test_wrong_passwords_and_no_redis(srl, guarded, tmp_path):
    uri, keys = guarded
    (keys / "redis.auth").write_text("client:wrong")
    found = checks(srl("doctor", "--cluster", uri, "--keys", keys, "--json", exit_code=1))
    assert found["redis"]["result"] == "problem"
    assert "redis.auth" in found["redis"]["text"]
    assert "job board" not in found
    for command in ("jobs", "top --once"):
        assert (
            "error: "
            in srl(*command.split(), "--cluster", uri, "--keys", keys, exit_code=78 if command == "jobs" else 2).stderr
        )
    found = checks(srl("doctor", "--cluster", "redis://127.0.0.1:1/0", "--json", exit_code=1))
    assert "see that Redis runs there" in found["redis"]["text"]
    assert found["keys"]["result"] == "warning"


def test_keys_that_are_not_as_they_should_be(srl, guarded, tmp_path):
    uri, keys = guarded
    (keys / "curve.secret").chmod(0o644)
    assert "chmod 600" in checks(srl("doctor", "--cluster", uri, "--keys", keys, "--json", exit_code=1))["keys"]["text"]
    found = checks(srl("doctor", "--cluster", uri, "--keys", keys.parent / "memory", "--json", exit_code=1))
    assert "no curve.secret in" in found["keys"]["text"]
    found = checks(srl("doctor", "--cluster", uri, "--keys", tmp_path, "--json", exit_code=1))
    assert "no curve.server in" in found["keys"]["text"]


def test_the_memory_service_answers_the_right_keys_only(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "ANSWER_WITHIN_S", 2.0)
    make_keys(tmp_path / "keys")
    make_keys(tmp_path / "others")
    server = Server("tcp://127.0.0.1:0", keys=load_keys(tmp_path / "keys" / "memory"))
    try:
        wrong = doctor.check_hello(server.uri, load_keys(tmp_path / "others" / "client"))
        none = doctor.check_hello(server.uri, None)
    finally:
        server.close()
    assert (wrong.result, none.result) == ("problem", "problem")
    assert "keys" in wrong.text
    assert "keys" in none.text
    assert "is no address" in doctor.check_hello("here", None).text


@pytest.mark.parametrize(
    ("check", "result", "text"),
    [
        (doctor.check_open_files(256), "warning", "ulimit -n"),
        (doctor.check_open_files(4096), "ok", "at most 4096"),
        (doctor.check_open_files(-1), "ok", "no limit"),
        (doctor.check_disk(1 << 20, "/x"), "problem", "free some"),
        (doctor.check_disk(1 << 30, "/x"), "warning", "1.0 GiB free"),
        (doctor.check_disk(1 << 40, "/x"), "ok", "1.0 TiB free"),
        (doctor.check_skew(0.1, "Redis"), "ok", "0.1 s ahead"),
        (doctor.check_skew(-5, "Redis"), "warning", "5.0 s behind"),
        (doctor.check_skew(60, "Redis"), "problem", "NTP"),
        (doctor._check_redis_memory(1, 10, "allkeys-lru"), "problem", "throws snapshots away"),
        (doctor._check_redis_memory(95, 100, "noeviction"), "warning", "raise maxmemory"),
        (doctor._check_page(Page("x:1", "refused")), "problem", "does not answer (refused)"),
        (
            doctor._check_page(parse("x:1", 'srl_build_info{protocol="0",name="m"} 1\n', 0)),
            "problem",
            "m speaks protocol 0",
        ),
        (
            doctor._check_page(parse("x:1", 'srl_build_info{version="0.0",name="m"} 1\n', 0)),
            "warning",
            "m has version 0.0",
        ),
        (doctor._check_page(parse("x:1", "srl_ready 0\n", 0)), "warning", "is not ready yet"),
        (doctor._check_page(parse("x:1", 'srl_ready{srl_job="job-1"} 1\n', 0)), "ok", "works for job-1"),
    ],
)
def test_judgements(check, result, text):
    assert check.result == result
    assert text in check.text


def test_a_machine_without_a_cluster(srl, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("SRL_STORE", raising=False)
    found = checks(srl("doctor", "--json"))
    assert found["cluster"]["result"] == "warning"
    assert found["python"]["result"] == "ok"
