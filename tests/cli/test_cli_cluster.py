"""srl up, scale, down, and what is done with a cluster meanwhile: real processes, one cluster for the file."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from started import started
from test_cli_training import ALGORITHM
from typer.testing import CliRunner

from services.clusters import local_cluster
from services.clusters.local_cluster import Process, read_left_state, read_state
from srl.cli.main import app
from srl_common.errors import InternalError, UserError
from srl_common.job_board import open_board

TIMEOUT_S = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of the local cluster: commands find it by themselves."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("home")
        patch.setenv("XDG_STATE_HOME", str(root / "state"))
        for name in ("SRL_STORE", "SRL_KEYS_DIR"):
            patch.delenv(name, raising=False)
        patch.chdir(root)
        patch.setenv("OMP_NUM_THREADS", "1")
        yield root / "state" / "srl"


@pytest.fixture(scope="module")
def cluster(folder):
    """A cluster with one actor, which the last test ends; nothing of it is left behind."""
    assert "a memory service, a learner and 1 actor in" in run("up", "--actors", 1).stdout
    state = read_state(folder)
    yield folder
    run("down")
    assert [each.pid for each in (state.supervisor, *(s.process for s in state.services)) if each.alive] == []


def here(*arguments, exit_code=0):
    """Call `srl` in this process, which costs less."""
    done = CliRunner().invoke(app, list(map(str, arguments)), prog_name="srl")
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done


def run(*arguments, exit_code=0):
    """Call `srl` as people do."""
    command = [sys.executable, "-m", "srl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def wait_for(what):
    end_s = time.monotonic() + TIMEOUT_S
    while not (found := what()):
        assert time.monotonic() < end_s
        time.sleep(0.05)
    return found


def job(job_id):
    return json.loads(here("jobs", "show", job_id, "--json").stdout)


def test_a_second_up_says_that_it_runs(cluster):
    assert "a cluster runs already: a memory service" in run("up", "--actors", 5).stdout
    plain = json.loads(here("up", "--json").stdout)
    assert [each["name"] for each in plain["services"]] == ["memory", "learner", "actor-0"]


def test_only_its_owner_reads_the_keys(cluster):
    secrets = list((cluster / "keys").rglob("*.secret"))
    assert secrets
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}


def test_an_algorithm_of_ones_own_is_trained_and_comes_back(cluster):
    Path("mine_in_cluster.py").write_text(ALGORITHM.replace("MineQL", "ClusterQL"))
    out = run(
        "submit", "mine_in_cluster.py", "--env", "Grid", "--max-train-count", 300, "--wait", "--save", "learned.dat"
    ).stdout
    assert "job 1 is ended" in out
    assert "wrote learned.dat" in out
    here("evaluate", "Grid", "mine_in_cluster.py", "--load", "learned.dat", "--episodes", 2)
    assert job(1)["updates"] >= 300


def test_a_running_job_is_watched_scaled_and_stopped(cluster):
    here("submit", "--env", "Grid", "--algorithm", "ql", "--json")
    wait_for(lambda: (job(2)["updates"] or 0) > 0)
    assert "2 actors now" in run("scale", 2).stdout

    def watched():
        plain = json.loads(here("top", "--json").stdout)
        return plain if len(plain["actors"]) == 2 and plain["reward"] is not None else None

    plain = wait_for(watched)
    assert plain["jobs"] == ["job-2"]
    assert plain["errors"] == []
    assert plain["learners"]["learner"]["updates/s"] > 0
    assert "job-2: " in run("top", "--once").stdout
    healthy = here("doctor").stdout
    assert "answers an observer with these keys" in healthy
    assert "problem" not in healthy
    run("stop", 2)
    wait_for(lambda: job(2)["state"] == "stopped")
    assert "job 2 is over already" in here("stop", 2).stdout


def test_a_service_that_is_killed_is_started_again(cluster):
    before = {each.name: each.process for each in read_state(cluster).services}
    before["memory"].send(signal.SIGKILL)

    def again():
        now = {each.name: each for each in read_state(cluster).services}
        return now["memory"].restarts == 1 and now

    now = wait_for(again)
    assert now["memory"].process != before["memory"]
    assert now["learner"].process == before["learner"]


def test_what_a_killed_supervisor_left_is_cleared_away(cluster):
    state = read_state(cluster)
    state.supervisor.send(signal.SIGKILL)
    wait_for(lambda: not state.supervisor.alive)
    assert read_left_state(cluster) == state
    assert "the cluster does not run: srl up starts it" in here("top", "--once", exit_code=2).stderr
    assert "no cluster runs in" in here("scale", 3, exit_code=2).stderr
    assert "a memory service" in run("up", "--actors", 1).stdout
    assert not any(each.process.alive for each in state.services)


def test_down_keeps_what_was_learned(cluster):
    state = read_state(cluster)
    assert "jobs and snapshots stay in" in run("down").stdout
    assert not (cluster / "cluster.json").exists()
    assert not any(each.alive for each in (state.supervisor, *(each.process for each in state.services)))
    assert "QL in Grid" in run("jobs").stdout
    assert [each["state"] for each in json.loads(here("jobs", "--json").stdout)] == ["ended", "stopped"]
    assert "1-" in here("snapshots", "list", 1).stdout
    assert "no cluster runs in" in here("down").stdout
    assert "no cluster runs on this machine" in here("doctor").stdout
    here("down", "--purge", "--yes")
    assert not cluster.exists()


def test_purge_leaves_what_is_not_the_clusters(tmp_path):
    for name in ("store", "keys", "journal"):
        (tmp_path / name).mkdir()
    for name in ("log", "lock", "wanted", "thesis.tex"):
        (tmp_path / name).touch()
    here("down", "--folder", tmp_path, "--purge", "--yes")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


# --- what goes wrong


def test_a_port_that_is_in_use(folder, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        errors = run("up", "--folder", tmp_path, "--port", port, exit_code=2).stderr
    assert f"the cluster has not started: port {port} cannot be used: Address already in use" in errors
    assert read_left_state(tmp_path) is None


def test_a_folder_that_cannot_be(folder, tmp_path):
    (tmp_path / "file").touch()
    assert "cannot be made" in here("up", "--folder", tmp_path / "file" / "x", exit_code=2).stderr


def test_a_pid_that_belongs_to_another_now_is_left_alone(folder, tmp_path):
    """Control: with the right time of its start the process is taken for the supervisor."""
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        process = Process.of(stranger.pid)
        plain = {"memory_uri": "", "trainer_uri": "", "store": "", "services": []}
        write_state(tmp_path, {**plain, "supervisor": {"pid": stranger.pid, "started": "1"}})
        assert "no cluster runs in" in here("down", "--folder", tmp_path).stdout
        assert stranger.poll() is None
        assert not (tmp_path / "cluster.json").exists()
        write_state(tmp_path, {**plain, "supervisor": vars(process)})
        assert read_state(tmp_path).supervisor.alive
    finally:
        stranger.kill()
        stranger.wait()


def write_state(folder, plain):
    (folder / "cluster.json").write_text(json.dumps(plain))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"services": [1]}'])
def test_a_damaged_state_file(tmp_path, text):
    (tmp_path / "cluster.json").write_text(text)
    with pytest.raises(UserError, match="is no state of a cluster"):
        read_state(tmp_path)


def test_two_supervisors_do_not_share_a_folder(tmp_path):
    lock = tmp_path / "lock"
    with local_cluster._locked(lock), pytest.raises(UserError, match="a cluster runs in"), local_cluster._locked(lock):
        pass


def test_failures_again_and_again_end_the_cluster(tmp_path):
    supervisor = local_cluster.Supervisor(tmp_path, 0, 0)
    for _ in range(local_cluster.FAILURES_MAX):
        supervisor._count_failure("learner", InternalError("a bug"))
    with pytest.raises(InternalError, match="a bug"):
        supervisor._count_failure("learner", InternalError("a bug"))


def test_a_job_that_ends_a_service_again_and_again_is_given_up_and_the_cluster_goes_on(tmp_path):
    supervisor = local_cluster.Supervisor(tmp_path, 0, 0)
    with contextlib.closing(open_board(f"dir://{tmp_path}/store")) as board:
        for name in ("bad", "next"):
            board.submit(board.new_id(), b"", name, name)
        bad = board.take()
        for _ in range(local_cluster.FAILURES_MAX + 1):
            assert board.running() == bad
            supervisor._count_failure("learner", InternalError("exit code 3"))
        assert board.entry(bad.id).reason == "it ended learner again and again: exit code 3"
        assert board.take().name == "next"


def test_what_a_user_can_change_ends_the_cluster_at_once(tmp_path):
    supervisor = local_cluster.Supervisor(tmp_path, 0, 0)
    with pytest.raises(UserError, match="no such folder"):
        supervisor._count_failure("memory", UserError("no such folder"))


def test_in_the_foreground_until_control_c(folder, tmp_path):
    command = [sys.executable, "-m", "srl", "up", "--foreground", "--actors", "0", "--folder", str(tmp_path)]
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        state = wait_for(lambda: read_state(tmp_path))
        wait_for(lambda: len(read_state(tmp_path).services) == 2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, errors) == (0, "")
    assert not state.supervisor.alive


def test_a_zombie_is_not_alive():
    child = os.fork()
    if child == 0:
        os._exit(0)
    wait_for(lambda: psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    assert not Process.of(child).alive
    os.waitpid(child, 0)
    assert not Process(child, "1").alive
