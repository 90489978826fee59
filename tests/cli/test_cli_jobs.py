"""srl submit, jobs, stop, tune, snapshots, keys: on real boards and stores; the tests are the services."""

import contextlib
import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest
from started import INTERRUPTED, started
from test_cli_training import ALGORITHM

from services.jobs.job import Job
from services.snapshot import take, worker_job
from srl.cli import jobs, output
from srl.runner.runner import Runner
from srl_common.job_board import JobState, open_board
from srl_common.snapshots import open_store

in_a_folder = pytest.mark.parametrize("cluster", ["folder"], indirect=True)


@pytest.fixture(params=["folder", "redis"])
def cluster(request, tmp_path, monkeypatch, redis_server):
    """The URI of an empty cluster that has no services; commands find it by SRL_STORE."""
    uri = f"dir://{tmp_path}/store" if request.param == "folder" else redis_server.url
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("SRL_STORE", uri)
    redis_server.flush()
    return uri


@pytest.fixture
def board(cluster):
    opened = open_board(cluster)
    yield opened
    opened.close()


@pytest.fixture
def store(cluster):
    opened = open_store(cluster)
    yield opened
    opened.close()


@pytest.fixture
def submitted(srl, cluster):
    return json.loads(srl("submit", "--env", "Grid", "--algorithm", "ql", "--timeout", 60, "--json").stdout)["id"]


def train(board, store, counts=(100,)):
    """Do what the services do for the job that waits."""
    entry = board.take()
    runner = Runner(context=Job.unpack(board.fetch(entry.id), entry.digest).make_context())
    epoch = store.claim_epoch(entry.snapshot_name)
    for count in counts:
        runner.train(max_train_count=10, enable_progress=False)
        store.publish(entry.snapshot_name, take(runner.parameter, epoch, count, {}, 1.0, runner.trainer))
        clients = {"actor-0": {"role": "actor", "env_steps": 3 * count, "episodes": 2, "reward_mean": 0.5}}
        board.report(entry.id, "learner", {"train_count": count}, keep=True)
        board.report(entry.id, "memory", {"host": {"memory_length": 7}, "clients": clients}, keep=True)
    return entry, runner


def test_a_job_is_submitted_and_listed(srl, board, submitted):
    assert board.entry(submitted).state is JobState.WAITING
    assert board.entry(submitted).name == "QL in Grid"
    assert "QL in Grid" in srl("jobs").stdout
    assert json.loads(srl("jobs", "--json").stdout)[0]["state"] == "waiting"
    job = Job.unpack(board.fetch(submitted), board.entry(submitted).digest)
    assert (job.context["timeout"], job.context["training"], job.context["distributed"]) == (60, True, True)


@in_a_folder
def test_on_a_terminal_it_is_a_table_that_fits(board, submitted):
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-m", "srl", "jobs"]
    with started(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environ) as process:
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # what reading raises at the end
            while part := os.read(ours, 65536):
                text += part
        assert process.stderr.read() == b""
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text.decode()).splitlines()
    assert any("waiting" in line for line in lines)
    assert any("───" in line for line in lines)
    assert max(map(len, lines[:-1])) <= 80, "all but the hint that nobody takes it"


@pytest.mark.parametrize(("width", "shown"), [(80, [0, 1, 2, 3]), (36, [0, 1, 3]), (20, [0, 3])])
def test_columns_that_do_not_fit_beside_a_long_one_are_left_out(width, shown):
    rows = [["1", "waiting", "1,234,567", "a long story of what happened"]]
    assert output._fitting(["job", "state", "steps", "reason"], rows, width)[0] == shown


def test_one_is_not_many():
    assert [output.count_text(number, "job") for number in (0, 1, 2)] == ["0 jobs", "1 job", "2 jobs"]


@in_a_folder
def test_an_empty_board(srl, cluster):
    assert "no jobs yet" in srl("jobs").stdout
    assert json.loads(srl("jobs", "--json").stdout) == []


@in_a_folder
def test_a_file_travels_with_its_settings(srl, board, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_for_submit.py").write_text(ALGORITHM.replace("MineQL", "SubmittedQL"))
    out = srl("submit", "mine_for_submit.py", "--env", "Grid", "-s", "lr=0.5", "--name", "first try").stdout
    entry = board.entries()[0]
    assert f"job {entry.id} is waiting: first try" in out
    assert board.entry(
        json.loads(srl("submit", "mine_for_submit.py", "--env", "Grid", "--json").stdout)["id"]
    ).name == ("mine_for_submit.py: SubmittedQL in Grid")
    job = Job.unpack(board.fetch(entry.id), entry.digest)
    assert list(job.files) == ["mine_for_submit.py"]
    assert job.context["rl_config"]["lr"] == 0.5


def test_how_a_job_goes(srl, board, store, submitted, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "ROUND_S", 0.0)  # the test reports faster than services do
    train(board, store, (100, 200))
    shown = json.loads(srl("jobs", "show", submitted, "--json").stdout)
    assert (shown["updates"], shown["env_steps"], shown["reward"], shown["actors"]) == (200, 600, 0.5, 1)
    assert "running" in srl("jobs", "show", submitted).stdout
    rows = [line.split() for line in srl("jobs", "history", submitted).stdout.splitlines()[1:]]
    assert [row[2:4] for row in rows] == [["100", "300"], ["200", "600"]]
    assert len(json.loads(srl("jobs", "history", submitted, "--json").stdout)) == 4
    file = tmp_path / "history.csv"
    srl("jobs", "history", submitted, "--csv", file)
    with file.open() as rows:
        found = list(csv.DictReader(rows))
    assert [row["train_count"] for row in found if row["service"] == "learner"] == ["100", "200"]
    assert found[-1]["clients.actor-0.env_steps"] == "600"


def test_the_last_report_of_a_service_is_no_row_of_its_own():
    kept = [("learner", 10.0), ("memory", 10.5), ("learner", 20.0), ("learner", 20.1), ("memory", 21.0)]
    rounds = list(jobs._rounds([{"service": service, "reported_s": at_s} for service, at_s in kept]))
    assert [{name: row["reported_s"] for name, row in each.items()} for each in rounds] == [
        {"learner": 10.0, "memory": 10.5},
        {"learner": 20.1, "memory": 21.0},
    ]


def test_stop_resume_and_delete(srl, board, store, submitted):
    entry, _ = train(board, store, (100, 200))
    assert "has been asked to end" in srl("stop", submitted).stdout
    assert "stopping" in srl("jobs").stdout
    assert "is running" in srl("jobs", "delete", submitted, "--yes", exit_code=78).stderr
    assert "is running" in srl("jobs", "resume", submitted, exit_code=78).stderr
    board.end(entry.id, entry.life, JobState.STOPPED, "somebody asked for it")
    assert "is over already: stopped (somebody asked for it)" in srl("stop", submitted).stdout
    assert "is waiting" in srl("jobs", "resume", submitted, "--snapshot", "1-100").stdout
    assert store.latest_version(entry.snapshot_name) == (2, 100)
    assert "is stopped" in srl("stop", submitted).stdout
    store.publish(worker_job(entry.snapshot_name), store.latest(entry.snapshot_name))
    srl("jobs", "delete", submitted, "--yes")
    assert board.entries() == store.jobs() == []


@in_a_folder
def test_deleting_asks_and_may_keep_what_was_learned(srl, board, store, submitted):
    entry, _ = train(board, store)
    board.end(entry.id, entry.life, JobState.ENDED, "timeout")
    assert srl("jobs", "delete", submitted, exit_code=1).stdout.startswith("Forget job")
    srl("jobs", "delete", submitted, "--yes", "--keep-snapshots")
    assert store.jobs() == [entry.snapshot_name]


def test_snapshots(srl, board, store, submitted, tmp_path):
    _, runner = train(board, store, (100, 200))
    assert "1-100" in srl("snapshots", "list", submitted).stdout
    listed = json.loads(srl("snapshots", "list", submitted, "--json").stdout)
    assert [each["version"] for each in listed] == ["1-100", "1-200"]
    newest, older = tmp_path / "newest.dat", tmp_path / "older.dat"
    srl("snapshots", "export", submitted, newest)
    srl("snapshots", "export", submitted, older, "--version", "1-100")
    other = Runner("Grid", runner.rl_config.copy(reset_env_config=True))
    other.load_parameter(newest)
    assert other.parameter.backup() == runner.parameter.backup()
    srl("evaluate", "Grid", "ql", "--load", older, "--episodes", 1)
    assert "is the newest now, as 2-100" in srl("snapshots", "restore", submitted, "1-100").stdout
    assert "1-300" in srl("snapshots", "restore", submitted, "1-300", exit_code=78).stderr
    assert "write epoch and train count" in srl("snapshots", "restore", submitted, "newest", exit_code=78).stderr


def test_a_job_without_snapshots(srl, submitted, tmp_path):
    text = srl("snapshots", "export", submitted, tmp_path / "x", exit_code=78).stderr
    assert "has no snapshot yet: it is waiting" in text
    assert "has no snapshot yet: it is waiting" in srl("snapshots", "list", submitted).stdout
    assert "has no history yet: it is waiting" in srl("jobs", "history", submitted).stdout


@in_a_folder
def test_why_a_job_has_failed(srl, board, submitted):
    entry = board.take()
    board.end(entry.id, entry.life, JobState.FAILED, "Trainer.train failed in the learner:\nTraceback\nValueError: no")
    assert srl("jobs").stdout.splitlines()[1].endswith("Trainer.train failed in the learner")
    assert srl("jobs", "show", submitted).stdout.endswith("ValueError: no\n")


def asleep(folder):
    return f"the cluster does not run: srl up --folder {folder} starts it"


@in_a_folder
def test_jobs_that_nobody_can_take_say_so(srl, board, submitted, tmp_path):
    assert srl("jobs").stdout.splitlines()[-1] == asleep(tmp_path)
    board.take()
    assert f"has been asked to end; {asleep(tmp_path)}" in srl("stop", submitted).stdout
    board.end(submitted, 1, JobState.STOPPED, "stopped")
    assert asleep(tmp_path) not in srl("jobs").stdout


def test_a_folder_that_has_no_cluster(srl, tmp_path):
    uri = f"dir://{tmp_path}/typo/store"
    for command in ("jobs", "submit --env Grid --algorithm ql", "top --once"):
        errors = srl(*command.split(), "--cluster", uri, exit_code=78).stderr
        assert f"there is no cluster in {tmp_path}/typo: start one with `srl up`" in errors
    assert not (tmp_path / "typo").exists()


@in_a_folder
def test_tuning(srl, board, submitted):
    out = srl("tune", submitted, "--samples-per-insert", 4, "--max-staleness-updates", 0).stdout
    assert "it is waiting, so this counts when it runs" in out
    assert board.tuning(submitted) == {"samples_per_insert": 4.0, "max_staleness_updates": 0}
    srl("tune", submitted, "--samples-per-insert", "off")
    assert board.tuning(submitted)["samples_per_insert"] == "off"
    for wrong in ("-1", "much", "inf", "nan"):
        assert "write a number above 0" in srl("tune", submitted, "--samples-per-insert", wrong, exit_code=2).stderr
    assert "nothing to tune" in srl("tune", submitted, exit_code=2).stderr
    for option in ("--tolerance-items", "--minimum-items", "--max-staleness-updates"):
        assert f"Invalid value for '{option}'" in srl("tune", submitted, option, -1, exit_code=2).stderr


@in_a_folder
def test_what_the_memory_service_says_of_tuning(srl, board, submitted, monkeypatch):
    board.take()
    monkeypatch.setattr(jobs, "ANSWER_WITHIN_S", 0.1)
    call = ("tune", submitted, "--tolerance-items", 5)
    assert "has not answered yet" in srl(*call).stdout
    host = {"tuning": {"samples_per_insert_tolerance_items": 5.0}, "tuning_refusal": ""}
    board.report(submitted, "memory", {"host": host})
    assert "taken up" in srl(*call).stdout
    board.report(submitted, "memory", {"host": {**host, "tuning_refusal": "too narrow"}})
    assert "goes on as before, its memory service refuses: too narrow" in srl(*call, exit_code=78).stderr


@pytest.mark.parametrize(
    "command",
    [
        "stop 9",
        "jobs show 9",
        "jobs history 9",
        "jobs resume 9",
        "snapshots list 9",
        "jobs delete 9 -y",
        "tune 9 --minimum-items 1",
        "snapshots restore 9 1-1",
    ],
)
def test_a_job_that_is_not_there(srl, submitted, command):
    assert f"there is no job 9: the board has {submitted}" in srl(*command.split(), exit_code=78).stderr


def in_background(*arguments):
    command = [sys.executable, "-m", "srl", *map(str, arguments)]
    return started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(what, timeout_s=30.0):
    end_s = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < end_s
        time.sleep(0.02)
    return found


WAITING = ("submit", "--env", "Grid", "--algorithm", "ql", "--timeout", "60", "--wait")


@in_a_folder
def test_waiting_brings_what_was_learned(board, store, tmp_path):
    file = tmp_path / "learned.dat"
    with in_background(*WAITING, "--save", file) as process:
        wait_for(board.entries)
        entry, runner = train(board, store)
        board.end(entry.id, entry.life, JobState.ENDED, "timeout")
        out, errors = process.communicate()
    assert (process.returncode, errors) == (0, f"{asleep(tmp_path)}\n")
    assert "is ended: timeout" in out
    assert out.index("ended by") > out.index("train_cluster: QL in Grid, until timeout 60"), "it ends with the results"
    other = Runner("Grid", runner.rl_config.copy(reset_env_config=True))
    other.load_parameter(file)
    assert other.parameter.backup() == runner.parameter.backup()


@in_a_folder
def test_waiting_for_a_job_that_fails_or_leaving_it(board):
    with in_background(*WAITING) as failing, in_background(*WAITING) as left:
        wait_for(lambda: len(board.entries()) == 2)
        assert "is waiting" in left.stdout.readline()
        left.send_signal(signal.SIGINT)
        assert "goes on: srl stop" in left.communicate()[1]
        first = board.take()
        board.end(first.id, first.life, JobState.FAILED, "call_train failed")
        second = board.take()
        board.end(second.id, second.life, JobState.FAILED, "call_train failed")
        errors = failing.communicate()[1]
    assert failing.returncode == 1
    assert left.returncode in INTERRUPTED
    assert "has failed: call_train failed" in errors
    assert "ended by" not in errors


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "give a job FILE, or --env and --algorithm"),
        ("x.py --env Grid --algorithm ql", "give a job FILE, or --env and --algorithm"),
        ("--algorithm ql", "--algorithm ql needs an environment: --env Grid"),
        ("dqn", "dqn is no Python file: a built-in algorithm is --algorithm dqn"),
        ("--env Gridd --algorithm ql", "there is no environment 'Gridd'. Did you mean Grid"),
        ("--env Grid --algorithm qll", "did you mean ql?"),
        ("--env Grid --algorithm ql -s lr=x", "ql.Config.lr is a number"),
        ("--env Grid --algorithm ql --player nobody", "the player 'nobody' is not registered"),
        ("--env Grid --algorithm ql -e nope=1", "environment 'Grid': got an unexpected keyword argument 'nope'; its"),
        ("--env Grid --algorithm ql --timeout nan", "Invalid value for '--timeout'"),
        ("--env Grid --algorithm ql --timeout -1", "Invalid value for '--timeout'"),
        ("--env Grid --algorithm ql --save x", "--save needs --wait"),
        ("--env Grid --algorithm ql --wait --save /proc/x/y", "'/proc/x/y' cannot be written"),
    ],
)
def test_what_cannot_be_submitted(srl, tmp_path, monkeypatch, arguments, text):
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("SRL_STORE", f"dir://{tmp_path}/store")
    result = srl("submit", *arguments.split(), exit_code=2)
    assert text in result.stderr
    assert not (tmp_path / "store" / "board.sqlite").exists()


def test_no_cluster(srl, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("SRL_STORE", raising=False)
    for command in ("jobs", "submit --env Grid --algorithm ql", "top --once", "stop 1"):
        assert "start one with `srl up`" in srl(*command.split(), exit_code=78).stderr


def test_a_cluster_that_does_not_answer(srl):
    uri = "redis://127.0.0.1:1/0"
    assert "cannot be used" in srl("jobs", "--cluster", uri, exit_code=78).stderr
    assert "is no job board" in srl("jobs", "--cluster", "http://x", exit_code=78).stderr
    assert "--cluster x:6379 is no address: write redis://" in srl("jobs", "--cluster", "x:6379", exit_code=78).stderr
    assert "--keys /no/x: there is no such" in srl("jobs", "--cluster", uri, "--keys", "/no/x", exit_code=78).stderr


def fingerprints(srl, root):
    listed = json.loads(srl("keys", "list", "--folder", root, "--json").stdout)
    return {each["holder"]: each["fingerprint"] for each in listed}


def test_keys(srl, tmp_path):
    root = tmp_path / "keys"
    srl("keys", "make", "--folder", root)
    secrets = {path: path.read_bytes() for path in root.rglob("curve.secret")}
    srl("keys", "make", "--folder", root)
    assert secrets == {path: path.read_bytes() for path in root.rglob("curve.secret")}
    assert "client-anna" in srl("keys", "make", "client-anna", "--folder", root).stdout
    srl("keys", "make", "client-bob", "--folder", root, "--to", tmp_path / "bob")
    assert (tmp_path / "bob" / "curve.secret").exists()
    shown = srl("keys", "list", "--folder", root).stdout
    assert "client-anna" in shown
    assert not any(secret.decode().strip() in shown for secret in secrets.values())
    before = fingerprints(srl, root)
    srl("keys", "rotate", "actor", "--folder", root, "--yes")
    after = fingerprints(srl, root)
    assert {name for name in before if before[name] != after[name]} == {"actor"}
    srl("keys", "revoke", "client-anna", "--folder", root, "--yes")
    assert "client-anna" not in srl("keys", "list", "--folder", root).stdout
    srl("keys", "rotate", "--folder", root, "--yes")
    assert all(path.read_bytes() != secret for path, secret in secrets.items())


def test_keys_that_cannot_be(srl, tmp_path):
    root = tmp_path / "keys"
    assert "there are no keys in" in srl("keys", "list", "--folder", root, exit_code=78).stderr
    srl("keys", "make", "--folder", root)
    assert "is no holder's name" in srl("keys", "make", "Anna", "--folder", root, exit_code=78).stderr
    assert "no key of 'client-ann'" in srl("keys", "revoke", "client-ann", "--folder", root, "-y", exit_code=78).stderr
    srl("keys", "revoke", "actor", "--folder", root, exit_code=1)
    assert "actor " in srl("keys", "list", "--folder", root).stdout, "nobody said yes"


@in_a_folder
def test_completion(srl, board, submitted, monkeypatch, tmp_path, cluster):
    from srl.cli.choice import complete_algorithm, complete_env
    from srl.cli.jobs import complete_job

    monkeypatch.chdir(tmp_path)
    (tmp_path / "dmine.py").touch()
    assert {"Grid", "GridOneRoad"} <= set(complete_env("Gr"))
    assert list(complete_algorithm("d")) == ["dqn", "dynaq", "dmine.py"]
    assert complete_job("") == [(submitted, "QL in Grid")]
    monkeypatch.setenv("SRL_STORE", "redis://127.0.0.1:1/0")
    assert complete_job("") == []


def test_the_shell_can_be_told(monkeypatch):
    environ = {**os.environ, "_SRL_COMPLETE": "complete_bash", "COMP_WORDS": "srl train Grid d", "COMP_CWORD": "3"}
    done = subprocess.run([sys.executable, "-m", "srl"], env=environ, capture_output=True, text=True, check=True)
    assert "dqn" in done.stdout.split()
