"""`Runner.train_mp`: the services as children, and what is left when they are gone (nothing but what was learned)."""

import multiprocessing  # noqa: F401  see test_a_program_that_imports_multiprocessing_trains_too
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import column_memory
import custom_memory
import ledger
import misbehaving
import object_items
import psutil
import pytest
from started import started

import srl
from srl.algorithms import ql
from srl.base.exception import DistributionError
from srl.base.run.callback import RunCallback


def notes(**train_mp):
    runner = srl.Runner("Grid", custom_memory.Config())
    if train_mp:
        runner.train_mp(max_train_count=20, enable_progress=False, **train_mp)
    else:
        runner.train(max_train_count=20, enable_progress=False)
    return runner.parameter.notes


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_a_memory_of_ones_own_works_the_same_as_in_process(enable_mp_memory):
    assert notes(actor_num=2, enable_mp_memory=enable_mp_memory) == notes()


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_items_travel_as_columns_and_keep_their_order(enable_mp_memory):
    runner = srl.Runner("Grid", column_memory.Config())
    runner.train_mp(max_train_count=3000, enable_mp_memory=enable_mp_memory, enable_progress=False)
    parameter = runner.parameter
    assert parameter.wrong == 0
    assert parameter.numbers == list(range(len(parameter.numbers)))
    assert parameter.ways["columns"] > parameter.ways["one by one"] > 0


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_items_may_be_objects_that_no_memory_looks_into(enable_mp_memory):
    runner = srl.Runner("Grid", object_items.Config())
    runner.train_mp(
        max_train_count=500, enable_mp_memory=enable_mp_memory, return_memory_data=True, enable_progress=False
    )
    numbers = runner.parameter.numbers
    assert numbers == list(range(len(numbers)))
    left = runner.memory.sample() or []
    assert all(type(item) is object_items.Item for item in left)


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_q_learning_learns(enable_mp_memory):
    runner = srl.Runner("Grid", ql.Config(lr=0.02))
    runner.train_mp(actor_num=2, max_train_count=60_000, enable_mp_memory=enable_mp_memory, enable_progress=False)
    rewards = runner.evaluate(max_episodes=200, enable_progress=False)
    assert sum(rewards) / len(rewards) > 0.6


def test_it_goes_on_from_the_runners_parameter_and_can_begin_anew():
    runner = srl.Runner("Grid", ledger.Config())
    runner.train_mp(max_train_count=5, enable_progress=False)
    first = runner.parameter.books.items
    assert first > 0
    runner.train_mp(max_train_count=5, enable_progress=False)
    assert len(runner.parameter.books.last) == 2  # lives of two actors
    runner.train_mp(max_train_count=5, enable_progress=False, initial_parameter_sharing=False)
    assert len(runner.parameter.books.last) == 1


def test_the_count_of_updates_is_exact():
    runner = srl.Runner("Grid", ledger.Config())
    runner.train_mp(max_train_count=7, enable_progress=False)
    assert runner.trainer.train_count == runner.state.train_count == 7
    assert 7 <= runner.parameter.books.items <= 7 * 64


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_the_memory_is_brought_back_and_shared_if_asked(enable_mp_memory):
    runner = srl.Runner("Grid", ledger.Config())
    runner.memory.add(["from the runner", 0])
    runner.train_mp(
        max_train_count=3,
        enable_mp_memory=enable_mp_memory,
        initial_memory_sharing=True,
        return_memory_data=True,
        enable_progress=False,
    )
    assert runner.parameter.books.last["from the runner"] == 0
    numbers = [number for _, number in runner.memory.items]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert runner.parameter.books.lost == runner.parameter.books.duplicated == 0


def test_the_memory_stays_here_unless_asked():
    runner = srl.Runner("Grid", ledger.Config())
    runner.train_mp(max_train_count=3, enable_progress=False)
    assert runner.memory.length() == 0


def test_two_players():
    runner = srl.Runner("OX", ql.Config())
    runner.train_mp(actor_num=1, max_train_count=500, players=[None, "random"], enable_progress=False)
    assert len(runner.parameter.backup()) > 0


# --- progress


def test_it_shows_progress_and_ends_with_a_summary(capfd):
    runner = srl.Runner("Grid", ql.Config())
    runner.set_progress(start_time=0.1, interval_limit=0.2)
    runner.train_mp(actor_num=2, timeout=1.5)
    text = capfd.readouterr().out
    assert "train_mp: QL in Grid, until timeout 1.5" in text
    for part in (
        "env steps/s",
        "trained/s",
        "memory ",
        "parameter ",
        "age ",
        "ended by",
        "timeout",
        "updates",
    ):
        assert part in text


def test_without_progress_it_is_silent(capfd):
    srl.Runner("Grid", ql.Config()).train_mp(max_train_count=10, enable_progress=False)
    assert capfd.readouterr() == ("", "")


# --- ends that are not planned


class Kill(threading.Thread):
    """Sends a signal to one child of this process, once it runs."""

    def __init__(self, service, number=signal.SIGKILL):
        super().__init__(daemon=True)
        self.service = service
        self.number = number
        self.start()

    def run(self):
        end_s = time.monotonic() + 20
        while not (found := self.find()):
            assert time.monotonic() < end_s
            time.sleep(0.01)
        time.sleep(0.5)
        found[0].send_signal(self.number)

    def find(self):
        children = psutil.Process().children()
        return [child for child in children if f"services.{self.service}" in child.cmdline() and is_set_up(child.pid)]


def is_set_up(pid):
    """Tell whether the process has a handler for SIGTERM, as services have before they do anything."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(re.search(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("service", ["actor", "memory", "learner"])
def test_a_service_that_is_killed_is_started_anew_and_this_is_said(service, capfd):
    runner = srl.Runner("Grid", ledger.Config())
    kill = Kill(service)
    runner.train_mp(timeout=3.0, enable_progress=False)
    kill.join()
    assert "was ended by SIGKILL: started anew" in capfd.readouterr().out
    assert (runner.parameter.books.lost, runner.parameter.books.duplicated) == (0, 0)
    assert runner.parameter.books.items > 0


SCRIPT = """
    import sys
    sys.path.insert(0, {here!r})
    import ledger, srl
    runner = srl.Runner("Grid", ledger.Config())
    runner.set_progress(start_time=0.1, interval_limit=0.1)
    try:
        runner.train_mp(timeout=60)
    except KeyboardInterrupt:
        print("INTERRUPTED", runner.parameter.books.items > 0, flush=True)
"""


def start_script(tmp_path):
    import tempfile

    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT.format(here=os.path.dirname(__file__))))
    return started(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": tempfile.gettempdir()},
        start_new_session=True,
    )


def wait_until_it_trains(process):
    for line in process.stdout:
        if ", trained " in line and ", trained 0," not in line:
            return
    pytest.fail("it ended before it trained")


def test_ctrl_c_brings_back_what_was_learned_and_leaves_nothing(tmp_path):
    with start_script(tmp_path) as process:
        wait_until_it_trains(process)
        children = psutil.Process(process.pid).children()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        rest = process.stdout.read()
    assert "INTERRUPTED True" in rest
    assert len(children) == 3
    assert not any(child.is_running() for child in children)


def test_a_parent_that_is_killed_takes_its_services_with_it(tmp_path):
    import shutil
    import tempfile

    with start_script(tmp_path) as process:
        wait_until_it_trains(process)
        children = psutil.Process(process.pid).children()
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    for name in os.listdir(tempfile.gettempdir()):  # a killed parent cannot tidy up
        shutil.rmtree(os.path.join(tempfile.gettempdir(), name))


# --- the author's mistakes


HOOKS = [
    ("actor-0", "Config.setup_from_actor"),
    ("actor-0", "Worker.on_setup"),
    ("actor-0", "Worker.on_reset"),
    ("actor-0", "Worker.policy"),
    ("actor-0", "Worker.on_step"),
    ("actor-0", "Memory.serialize"),
    ("memory", "Memory.add"),
    ("memory", "Memory.sample"),
    ("memory", "Memory.update"),
    ("learner", "Trainer.on_setup"),
    ("learner", "Trainer.train"),
]


@pytest.mark.parametrize(("service", "hook"), HOOKS)
def test_an_exception_is_shown_with_its_service_hook_and_traceback(service, hook):
    runner = srl.Runner("Grid", misbehaving.Config(raises_in=hook))
    with pytest.raises(DistributionError) as caught:
        runner.train_mp(timeout=30, enable_progress=False)
    text = str(caught.value)
    assert f"{hook} failed in the {service}:" in text
    assert f"ZeroDivisionError: by zero in {hook}" in text
    assert "misbehaving.py" in text
    assert "srl_common" not in text.partition("Traceback")[2].partition("misbehaving.py")[0]


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        ("Worker.on_step", r"Memory.remark: an item cannot travel: cannot encode set at .*\['deep'\]\[1\]"),
        ("Memory.serialize", r"Memory.add: an item cannot travel: cannot encode set at .*\['deep'\]\[1\]"),
        ("Memory.sample", r"Memory.sample returned a value that cannot travel: .*set at .*\['deep'\]\[1\]"),
        ("Trainer.train", r"Memory.update: an argument cannot travel: .*set at .*\['deep'\]\[1\]"),
    ],
)
def test_a_value_that_cannot_travel_names_hook_type_and_path(hook, says):
    runner = srl.Runner("Grid", misbehaving.Config(returns_badly_in=hook))
    with pytest.raises(DistributionError, match=says) as caught:
        runner.train_mp(timeout=30, enable_progress=False)
    assert "Traceback" not in str(caught.value)


def test_a_backup_that_cannot_travel_names_the_parameter():
    runner = srl.Runner("Grid", misbehaving.Config(returns_badly_in="Parameter.call_backup"))
    with pytest.raises(DistributionError, match=r"Parameter.call_backup returned a value that cannot travel"):
        runner.train_mp(timeout=30, enable_progress=False)


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("Worker", r"an actor's memory has no 'sampel': .*register_worker_func \(add, remark\)"),
        ("Trainer", r"a learner's memory has no 'add': .*\(sample, update\)"),
    ],
)
def test_a_function_that_is_not_registered_cannot_be_called(who, says):
    runner = srl.Runner("Grid", misbehaving.Config(calls_unregistered=who))
    with pytest.raises(DistributionError, match=says):
        runner.train_mp(timeout=30, enable_progress=False)


def test_a_callback_that_is_no_dataclass_is_refused():
    class Plain(RunCallback):
        pass

    with pytest.raises(Exception, match=r"callbacks\[0\]"):
        srl.Runner("Grid", ql.Config()).train_mp(timeout=1, callbacks=[Plain()], enable_progress=False)


def test_no_limit_is_refused():
    with pytest.raises(AssertionError, match="timeout, max_train_count"):
        srl.Runner("Grid", ql.Config()).train_mp()


@pytest.mark.parametrize("name", ["actor_num", "queue_capacity", "mem_to_train_queue_capacity"])
def test_a_number_below_one_is_refused(name):
    with pytest.raises(AssertionError, match=f"{name} is 0, it must be 1 or more"):
        srl.Runner("Grid", ql.Config()).train_mp(timeout=1, **{name: 0})


@pytest.mark.parametrize("setting", ["return_memory_data", "initial_memory_sharing"])
def test_a_memory_without_backup_cannot_be_carried_over(setting):
    class NoBackup(ledger.Memory):
        call_backup = srl.base.rl.memory.RLMemory.call_backup

    runner = srl.Runner("Grid", ledger.Config())
    runner._memory = NoBackup(runner.rl_config)
    with pytest.raises(AssertionError, match=f"{setting} needs NoBackup.call_backup"):
        runner.train_mp(timeout=1, **{setting: True})


def test_a_worker_that_changes_the_parameter_has_its_copy_collected(monkeypatch):
    collected = []
    monkeypatch.setattr(ledger.Parameter, "update_from_worker_parameter", lambda _self, other: collected.append(other))
    runner = srl.Runner("Grid", ledger.Config(collects=True))
    runner.train_mp(max_train_count=5, enable_progress=False)
    assert [type(each) for each in collected] == [ledger.Parameter]


def test_a_program_that_imports_multiprocessing_trains_too():
    # It calls the main module __mp_main__, which torch and others import.
    assert sys.modules["__mp_main__"] is sys.modules["__main__"]
    runner = srl.Runner("Grid", ledger.Config())
    runner.train_mp(max_train_count=3, enable_progress=False)
    assert runner.state.train_count == 3


def test_a_service_that_somebody_else_asks_to_end_is_started_anew(capfd):
    runner = srl.Runner("Grid", ledger.Config())
    end = Kill("actor", signal.SIGTERM)
    runner.train_mp(timeout=3.0, enable_progress=False)
    end.join()
    assert "actor-0 was ended by a request to end that was not ours: started anew" in capfd.readouterr().out
    assert (runner.parameter.books.lost, runner.parameter.books.duplicated) == (0, 0)


def run_script(tmp_path, text):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    return subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, cwd=tmp_path)


def test_the_classes_of_a_script_that_is_run_directly_are_found(tmp_path):
    source = (Path(__file__).parent / "ledger.py").read_text().replace('"ledger:', '__name__ + ":')
    done = run_script(
        tmp_path,
        source
        + textwrap.dedent("""
            if __name__ == "__main__":
                import srl
                runner = srl.Runner("Grid", Config())
                runner.train_mp(max_train_count=5, enable_progress=False)
                print("TRAINED", runner.parameter.books.items > 0, runner.state.train_count)
        """),
    )
    assert "TRAINED True 5" in done.stdout, done.stderr


def test_a_script_without_a_main_guard_is_told_so(tmp_path):
    done = run_script(
        tmp_path,
        (Path(__file__).parent / "ledger.py").read_text().replace('"ledger:', '__name__ + ":')
        + '\nimport srl\nsrl.Runner("Grid", Config()).train_mp(max_train_count=5, enable_progress=False)\n',
    )
    assert done.returncode == 1
    assert "put what the script does under `if __name__ == '__main__':`" in done.stderr


def test_what_failed_in_a_service_shows_that_stack_and_no_other(tmp_path):
    done = run_script(
        tmp_path,
        f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import misbehaving, srl
        if __name__ == "__main__":
            srl.Runner("Grid", misbehaving.Config(raises_in="Trainer.train")).train_mp(timeout=20)
        """,
    )
    assert "ZeroDivisionError: by zero in Trainer.train" in done.stderr
    mine, _, remote = done.stderr.partition("DistributionError")
    assert mine.count('File "') <= 2  # the user's own line, and the door
    assert "misbehaving.py" in remote


def test_a_users_mistake_shows_no_stack_of_internals(tmp_path):
    done = run_script(
        tmp_path,
        """
        import srl
        from srl.algorithms import ql
        if __name__ == "__main__":
            srl.Runner("Grid", ql.Config()).train_mp()
        """,
    )
    assert "give at least one of timeout, max_train_count" in done.stderr
    assert done.stderr.count('File "') <= 2  # the user's own line, and the door
