"""A job: the same in every process that rebuilds it, and refused where it is not the same."""

import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from services.jobs.job import Job, is_loading_main
from srl.algorithms import ql
from srl.base.context import RunContext
from srl.base.env import registration as env_registration
from srl.base.env.config import EnvConfig
from srl.base.env.registration import make
from srl.base.rl import registration as rl_registration
from srl.base.run.callback import RunCallback
from srl_common import codec
from srl_common.errors import CorruptError, SettingError, UserError

ROOT = Path(__file__).parents[2]

ALGORITHM = """
    from dataclasses import dataclass
    from srl.base.define import RLBaseTypes
    from srl.base.env.base import EnvBase
    from srl.base.env.registration import register as register_env
    from srl.base.rl.config import RLConfig
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.registration import register
    from srl.base.rl.trainer import RLTrainer
    from srl.base.rl.worker import RLWorker
    from srl.base.run.callback import RunCallback
    from srl.envs.grid import Grid

    @dataclass
    class Config(RLConfig):
        rate: float = 0.5
        def get_name(self): return "authored"
        def get_base_action_type(self): return RLBaseTypes.DISCRETE
        def get_base_observation_type(self): return RLBaseTypes.DISCRETE

    @dataclass
    class Note(RunCallback):
        text: str = ""

    class Memory(RLMemory): ...
    class Parameter(RLParameter): ...
    class Trainer(RLTrainer): ...
    class Worker(RLWorker): ...
    class MyGrid(Grid): ...

    entry_points = [__name__ + ":" + name for name in ("Memory", "Parameter", "Trainer", "Worker")]
    register(Config(), *entry_points, check_duplicate=False)
    register_env("MyGrid", __name__ + ":MyGrid", check_duplicate=False)
"""


def job_of(config=None, env="Grid", **limits):
    return Job.of(RunContext(env_config=EnvConfig(env), rl_config=config or ql.Config(), **limits))


def run(folder, *args):
    """Run another Python, in which the library is and the author's folder is."""
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, timeout=60, env=environ, cwd=folder)


def rebuild(folder, job_file, then="print(context.rl_config, type(context.rl_config).__module__)"):
    """Rebuild the job in another process, and return what that says."""
    text = (
        f"from services.jobs.job import Job\njob = Job.load({str(job_file)!r})\ncontext = job.make_context()\n{then}\n"
    )
    done = run(folder, "-c", text)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def author(tmp_path, monkeypatch):
    """An author's module in a file, imported here; its registrations do not outlive the test."""
    monkeypatch.setattr(rl_registration, "_algorithms", dict(rl_registration._algorithms))
    monkeypatch.setattr(env_registration, "_registry", dict(env_registration._registry))
    file = tmp_path / "authored.py"
    file.write_text(textwrap.dedent(ALGORITHM))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "authored", raising=False)
    import authored

    authored.file = file
    yield authored
    del sys.modules["authored"]


# --- a job and its digest


def test_a_job_is_saved_and_loaded(tmp_path, author):
    job = job_of(author.Config(rate=0.25), env="MyGrid", timeout=3.5, seed=7, players=[None, "random"])
    job.save(tmp_path / "job")
    loaded = Job.load(tmp_path / "job")
    assert loaded == job
    assert loaded.digest == job.digest
    context = loaded.make_context()
    assert context.rl_config == author.Config(rate=0.25)
    assert (context.env_config.id, context.timeout, context.seed, context.players) == (
        "MyGrid",
        3.5,
        7,
        [None, "random"],
    )


def test_the_same_job_has_the_same_digest():
    assert job_of(timeout=3.0).digest == job_of(timeout=3.0).digest


@pytest.mark.parametrize(
    "other",
    [
        lambda: job_of(ql.Config(lr=0.123)),
        lambda: job_of(env="EasyGrid"),
        lambda: Job.of(RunContext(env_config=EnvConfig("Grid", {"move_reward": -1.0}), rl_config=ql.Config())),
        lambda: job_of(seed=1),
        lambda: job_of(timeout=1),
    ],
    ids=["configuration", "environment", "its arguments", "seed", "limit"],
)
def test_another_job_has_another_digest(other):
    assert other().digest != job_of().digest


def test_another_source_is_another_job_and_another_folder_is_not(author):
    job = job_of(author.Config())
    assert list(job.sources) == ["authored"]
    assert job.digest == job_of(author.Config()).digest
    assert replace(job, main_file="/elsewhere/script.py").digest == job.digest
    author.file.write_text(author.file.read_text() + "# changed\n")
    assert job_of(author.Config()).digest != job.digest


def test_callbacks_are_a_part_of_the_job(author):
    job = Job.of(
        RunContext(env_config=EnvConfig("Grid"), rl_config=ql.Config(), callbacks=[author.Note("a")], timeout=1)
    )
    assert job.make_context().callbacks == [author.Note("a")]
    assert "authored" in job.modules
    assert job.digest != job_of(timeout=1).digest


def test_a_callback_that_cannot_be_rebuilt_is_named():
    class Plain(RunCallback): ...

    context = RunContext(env_config=EnvConfig("Grid"), rl_config=ql.Config(), callbacks=[Plain()])
    with pytest.raises(Exception, match=r"callbacks\[0\]"):
        Job.of(context)


def test_a_context_without_an_algorithm_is_no_job():
    with pytest.raises(UserError, match="a job needs an environment and an algorithm"):
        Job.of(RunContext(env_config=EnvConfig("Grid")))


@pytest.mark.parametrize(
    ("limits", "train_count", "elapsed_s", "over"),
    [
        ({}, 10**9, 1e9, False),
        ({"max_train_count": 5}, 4, 1e9, False),
        ({"max_train_count": 5}, 5, 0.0, True),
        ({"timeout": 2.0}, 10**9, 1.9, False),
        ({"timeout": 2.0}, 0, 2.0, True),
    ],
)
def test_a_job_is_over_at_its_first_limit(limits, train_count, elapsed_s, over):
    assert job_of(**limits).is_over(train_count, elapsed_s) is over


# --- files that are none, or others


def test_no_file_is_told_how_to_make_one():
    with pytest.raises(SettingError, match="no job: set SRL_JOB to the file of a job, as Job.save writes it"):
        Job.load("")


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(SettingError, match=rf"SRL_JOB={tmp_path}/none: No such file"):
        Job.load(tmp_path / "none")


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 50, codec.pack(3), codec.pack([1, 2]), codec.pack({}), codec.pack({"unknown": 1})]
)
def test_what_is_no_job_is_refused(tmp_path, data):
    (tmp_path / "job").write_bytes(data)
    with pytest.raises(SettingError, match=f"SRL_JOB={tmp_path}/job is not the file of a job"):
        Job.load(tmp_path / "job")


def test_a_changed_source_is_refused_with_both_digests(author):
    job = job_of(author.Config())
    author.file.write_text(author.file.read_text() + "# changed\n")
    now = job_of(author.Config())
    with pytest.raises(UserError) as caught:
        job.make_context()
    text = str(caught.value)
    for part in ("authored", job.sources["authored"][:12], now.sources["authored"][:12], str(author.file)):
        assert part in text
    assert "give all services the same file" in text


def test_a_module_that_is_not_here_is_named(author):
    job = replace(job_of(author.Config()), modules=["authored_nowhere"])
    with pytest.raises(UserError, match="the job needs the module 'authored_nowhere', .* is not here: .* PYTHONPATH"):
        job.make_context()


def test_a_module_that_imports_what_is_not_here_says_that(author, tmp_path):
    (tmp_path / "needy.py").write_text("import nowhere_to_be_found")
    job = replace(job_of(author.Config()), modules=["needy"])
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        job.make_context()


# --- in another process


def test_another_process_imports_the_module_and_registers_nothing_twice(tmp_path, author):
    job_of(author.Config(rate=0.125)).save(tmp_path / "job")
    assert "rate=0.125" in (said := rebuild(tmp_path, tmp_path / "job"))
    assert said.endswith(" authored\n")


def test_what_a_module_does_not_register_by_itself_is_registered(tmp_path, author, monkeypatch):
    job_of(author.Config(rate=0.125), env="MyGrid").save(tmp_path / "job")
    # Elsewhere the same file registers nothing: somebody else did so here.
    silent = textwrap.dedent(ALGORITHM).split("entry_points =")[0]
    author.file.write_text(silent)
    again = Job.load(tmp_path / "job")
    replace(again, sources={}).save(tmp_path / "job")
    then = "from srl.base.env.registration import make\nprint(type(make(context.env_config).unwrapped).__name__)"
    then += "\nfrom srl.base.rl.registration import find_algorithm\nprint(find_algorithm('authored').memory)"
    assert rebuild(tmp_path, tmp_path / "job", then) == "MyGrid\nauthored:Memory\n"


def test_an_environment_with_arguments_of_its_registration_is_rebuilt(author):
    env_registration.register("MyRichGrid", "authored:MyGrid", {"move_reward": -0.5})
    job = job_of(author.Config(), env="MyRichGrid")
    del env_registration._registry["MyRichGrid"]
    env = make(job.make_context().env_config)
    assert (type(env.unwrapped), env.unwrapped.move_reward) == (author.MyGrid, -0.5)


SCRIPT = (
    textwrap.dedent(ALGORITHM)
    + """
print("LOADED", __name__)
if __name__ == "__main__":
    import sys
    from services.jobs.job import Job, is_loading_main
    from srl.base.context import RunContext
    from srl.base.env.config import EnvConfig
    print("MAIN PART")
    job = Job.of(RunContext(env_config=EnvConfig("MyGrid"), rl_config=Config(rate=0.75)))
    job.save(sys.argv[1])
    print("DIGEST", job.digest)
"""
)


def test_a_script_that_is_run_directly_is_loaded_without_its_main_part(tmp_path):
    script, job = tmp_path / "script.py", tmp_path / "job"
    script.write_text(SCRIPT)
    made = run(tmp_path, str(script), str(job))
    assert made.stdout.splitlines()[:2] == ["LOADED __main__", "MAIN PART"], made.stderr
    then = "print('DIGEST', job.digest)\nfrom srl.base.env.registration import make\n"
    then += "print(context.rl_config.rate, type(make(context.env_config).unwrapped).__name__)"
    said = rebuild(tmp_path, job, then).splitlines()
    assert said == ["LOADED __mp_main__", made.stdout.splitlines()[2], "0.75 MyGrid"]


def test_a_job_of_a_script_is_the_same_from_another_folder_and_another_after_a_change(tmp_path):
    digests = []
    for folder, text in (("one", SCRIPT), ("two", SCRIPT), ("three", SCRIPT + "# changed\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "script.py").write_text(text)
        digests.append(run(tmp_path, f"{folder}/script.py", "job").stdout.splitlines()[-1])
    assert digests[0] == digests[1] != digests[2]


def test_a_script_that_was_changed_meanwhile_is_refused(tmp_path):
    script, job = tmp_path / "script.py", tmp_path / "job"
    script.write_text(SCRIPT)
    assert run(tmp_path, str(script), str(job)).returncode == 0
    script.write_text(SCRIPT + "# changed\n")
    done = run(tmp_path, "-c", f"from services.jobs.job import Job; Job.load({str(job)!r}).make_context()")
    assert "UserError: the job was made with __main__ of digest" in done.stderr


def test_a_script_travels_with_what_it_imports(tmp_path):
    text = SCRIPT.replace("Job.of(RunContext", "Job.of(travels=True, context=RunContext") + "import beside\n"
    digests = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my-script.py").write_text(text)
        (tmp_path / folder / "beside.py").write_text("print('BESIDE')")
        made = run(tmp_path, f"{folder}/my-script.py", "job")
        assert made.stderr == ""
        digests.append(next(line for line in made.stdout.splitlines() if line.startswith("DIGEST")))
        shutil.rmtree(tmp_path / folder)
    assert digests[0] == digests[1]
    then = "print('DIGEST', job.digest)\nprint(sorted(job.files), context.rl_config.rate)"
    loaded, beside, digest, said = rebuild(tmp_path, tmp_path / "job", then).splitlines()
    assert (loaded, beside, digest) == ("LOADED __mp_main__", "BESIDE", digests[0])
    assert said == "['beside.py', 'my-script.py'] 0.75"


def test_a_script_of_a_package_travels_as_that(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "beside.py").write_text("")
    text = SCRIPT.replace("Job.of(RunContext", "Job.of(travels=True, context=RunContext") + "from . import beside\n"
    (tmp_path / "pack" / "script.py").write_text(text)
    assert run(tmp_path, "-m", "pack.script", "job").stderr == ""
    shutil.rmtree(tmp_path / "pack")
    said = rebuild(tmp_path, tmp_path / "job", "print(sorted(job.files), job.main_file)")
    assert said.splitlines()[-1] == "['pack/beside.py', 'pack/script.py'] pack/script.py"


def test_an_exception_in_a_file_that_travelled_names_it(tmp_path):
    text = SCRIPT.replace("Job.of(RunContext", "Job.of(travels=True, context=RunContext")
    (tmp_path / "script.py").write_text(text + "if __name__ != '__main__':\n    1 / 0\n")
    assert run(tmp_path, "script.py", "job").stderr == ""
    (tmp_path / "script.py").unlink()
    call = "from services.author import authored\nfrom services.jobs.job import Job\n"
    call += "with authored('learner'):\n    Job.load('job').make_context()\n"
    said = run(tmp_path, "-c", call).stderr.rpartition("AuthorError: ")[2]
    assert said.startswith("<module> failed in the learner")
    assert 'script.py", line' in said
    assert "    1 / 0" in said


def test_a_module_that_was_imported_from_another_file_is_refused(author, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    job = Job.of(RunContext(env_config=EnvConfig("Grid"), rl_config=author.Config()), travels=True)
    assert job.files == {"authored.py": author.file.read_bytes()}
    assert job.make_context().rl_config == author.Config()
    author.file.write_text(author.file.read_text() + "# changed\n")
    with pytest.raises(UserError, match="the job was made with authored of digest"):
        job.make_context()


def test_an_entry_point_that_nobody_has_imported_travels_too(author, tmp_path, monkeypatch):
    (tmp_path / "authored_memory.py").write_text("from authored import Memory")
    entry_points = ["authored_memory:Memory", *[f"authored:{name}" for name in ("Parameter", "Trainer", "Worker")]]
    rl_registration._algorithms["authored"] = rl_registration.Algorithm(*entry_points)
    job = Job.of(RunContext(env_config=EnvConfig("Grid"), rl_config=author.Config()), travels=True)
    assert sorted(job.files) == ["authored.py", "authored_memory.py"]
    monkeypatch.delitem(sys.modules, "authored_memory")


# --- as bytes


def test_a_job_is_named_and_its_name_changes_nothing_else():
    context = RunContext(env_config=EnvConfig("Grid"), rl_config=ql.Config())
    assert Job.of(context).name == "QL in Grid"
    assert Job.of(context, name="mine").name == "mine"
    assert Job.of(context, name="mine").digest == Job.of(context).digest


def test_a_job_travels_as_bytes_and_is_checked():
    job = job_of(timeout=5)
    assert Job.unpack(job.pack(), job.digest) == job
    with pytest.raises(CorruptError, match=rf"the job has the digest {job.digest[:12]}, and 0000"):
        Job.unpack(job.pack(), "0" * 64)


@pytest.mark.parametrize("data", [b"", b"\xff" * 50, codec.pack(3), codec.pack({"unknown": 1})])
def test_bytes_that_are_no_job_are_refused(data):
    with pytest.raises(CorruptError, match="these bytes are no job"):
        Job.unpack(data, "")


def test_classes_of_an_interactive_session_are_refused(tmp_path):
    text = SCRIPT.replace("sys.argv[1]", "'job'")
    done = run(tmp_path, "-c", text)
    assert done.returncode == 1
    assert "the classes of 'authored' are defined in an interactive session" in done.stderr
    assert "put them in a file" in done.stderr
    assert not (tmp_path / "job").exists()


def test_a_program_that_uses_multiprocessing_is_no_service(monkeypatch):
    monkeypatch.setitem(sys.modules, "__mp_main__", sys.modules["__main__"])  # as importing multiprocessing does
    assert not is_loading_main()
