"""Job files: what they may say, and what a mistake in one is told."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import srl
from services.jobs import default_job, job_file
from services.jobs.job import Job
from services.jobs.job_file import load_job
from srl.algorithms import ql
from srl.base.env import registration as env_registration
from srl.base.rl import registration as rl_registration
from srl.utils.usage import UsageError
from srl_common.errors import AuthorError, UserError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT.parent / "shared" / "spec" / "example_q_learning.py"

ALGORITHM = """
    from dataclasses import dataclass
    from srl.base.define import RLBaseTypes
    from srl.base.rl.config import RLConfig
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.registration import register
    from srl.base.rl.trainer import RLTrainer
    from srl.base.rl.worker import RLWorker

    @dataclass
    class Config(RLConfig):
        rate: float = 0.5
        def get_name(self): return "filed"
        def get_base_action_type(self): return RLBaseTypes.DISCRETE
        def get_base_observation_type(self): return RLBaseTypes.DISCRETE

    class Memory(RLMemory): ...
    class Parameter(RLParameter): ...
    class Trainer(RLTrainer): ...
    class Worker(RLWorker): ...

    register(Config(), *[__name__ + ":" + name for name in ("Memory", "Parameter", "Trainer", "Worker")])
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a job file; what it imports and registers does not outlive the test."""
    monkeypatch.setattr(rl_registration, "_algorithms", dict(rl_registration._algorithms))
    monkeypatch.setattr(rl_registration, "_configs", dict(rl_registration._configs))
    monkeypatch.setattr(env_registration, "_registry", dict(env_registration._registry))
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)

    def write(text, name="filed_job.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    yield write
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


# --- with a function job()


def test_a_file_says_all_itself(write):
    text = """
        import srl
        from srl.algorithms import ql
        def job():
            env = srl.EnvConfig("Grid", {"move_reward": -0.5})
            return srl.JobConfig(env, ql.Config(lr=0.25), 9.5, 70, seed=3, players=["random"], name="mine")
    """
    job = load_job(write(text))
    context = job.make_context()
    assert (context.timeout, context.max_train_count, context.seed) == (9.5, 70, 3)
    assert (context.env_config.kwargs, context.rl_config.lr) == ({"move_reward": -0.5}, 0.25)
    assert (context.players, context.training, context.distributed) == (["random"], True, True)
    assert (job.name, job.files) == ("mine", {})  # nothing of the author's is needed where it is run


def test_what_is_given_from_outside_counts(write):
    text = """
        import srl
        from srl.algorithms import ql
        def job(): return srl.JobConfig("Grid", ql.Config(), timeout=9, max_train_count=70, seed=3)
    """
    file = write(text)
    context = load_job(file, env="EasyGrid", timeout=1, max_train_count=2, seed=0).make_context()
    assert (context.env_config.id, context.timeout, context.max_train_count, context.seed) == ("EasyGrid", 1, 2, 0)
    assert load_job(file).name == "filed_job.py: QL in Grid"


def test_a_job_may_be_without_limits(write):
    job = load_job(write(ALGORITHM), env="Grid")
    assert not job.is_over(10**9, 1e9)


def test_the_default_job_is_a_job_file_and_known_by_its_module():
    job = load_job("services.jobs.default_job")
    assert job.digest == load_job(default_job.__file__).digest
    context = job.make_context()
    assert (context.env_config.id, context.timeout, context.seed) == ("CartPole-v1", 3600, None)
    assert context.rl_config.framework == "numpy"
    assert (job.files, job.modules[0]) == ({}, "srl.algorithms.dqn")


# --- with one registration


def test_the_one_algorithm_of_a_file_is_trained(write):
    job = load_job(write(ALGORITHM), env="Grid")
    assert job.context["rl_config"]["_target_"] == "filed_job:Config"
    assert list(job.files) == ["filed_job.py"]
    assert job.name == "filed_job.py: filed in Grid"


def test_the_specifications_example_is_a_job_file_as_it_is(write):
    if not EXAMPLE.exists():
        pytest.skip("the specification is not beside this checkout")
    file = write(EXAMPLE.read_text(encoding="utf-8"), "filed_example.py")
    # In a process of its own: other tests register the example too.
    code = "import sys; from services.jobs.job_file import load_job; job = load_job(sys.argv[1], env='Grid', timeout=5)"
    code += "; print(job.algorithm['name'], *job.files)"
    printed = subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True, text=True).stdout
    assert printed.split() == ["MyRL", "filed_example.py"]


def test_what_the_file_imports_travels_and_does_not_count_as_its_algorithm(write):
    write(ALGORITHM.replace('"filed"', '"base"'), "filed_base.py")
    job = load_job(write("import filed_base\n" + textwrap.dedent(ALGORITHM)), env="Grid")
    assert job.algorithm["name"] == "filed"
    assert sorted(job.files) == ["filed_base.py", "filed_job.py"]


def test_classes_may_be_in_another_file_than_the_registration(write):
    write(textwrap.dedent(ALGORITHM).partition("register(Config()")[0], "filed_parts.py")
    text = """
        from filed_parts import Config
        from srl.algorithms import ql
        from srl.base.rl.registration import register
        register(Config(), *[f"filed_parts:{name}" for name in ("Memory", "Parameter", "Trainer", "Worker")])
    """
    job = load_job(write(text), env="Grid")
    assert (job.algorithm["name"], list(job.files)) == ("filed", ["filed_parts.py"])


def test_a_part_of_a_package_is_imported_as_that(write):
    write("", "filed_pack/__init__.py")
    write("RATE = 0.125", "filed_pack/rates.py")
    text = textwrap.dedent(ALGORITHM) + "from .rates import RATE\n"
    job = load_job(write(text, "filed_pack/filed_part.py"), env="Grid")
    assert job.modules[0].startswith("filed_pack.filed_part")
    assert sorted(job.files) == ["filed_pack/__init__.py", "filed_pack/filed_part.py", "filed_pack/rates.py"]


def test_a_configuration_that_was_registered_is_not_shared(write):
    load_job(write(ALGORITHM), env="Grid")
    first, second = (rl_registration.registered_configs()["filed"] for _ in range(2))
    assert first is not second


# --- the same elsewhere


def test_a_job_is_run_where_its_file_is_not(write, tmp_path):
    write("RATE = 0.125", "filed_helper.py")
    job = load_job(write(textwrap.dedent(ALGORITHM) + "import filed_helper\n"), env="Grid")
    (tmp_path / "packed").write_bytes(job.pack())
    for file in tmp_path.glob("filed_*.py"):
        file.unlink()
    text = f"""
        from pathlib import Path
        from services.jobs.job import Job
        job = Job.unpack(Path({str(tmp_path / "packed")!r}).read_bytes(), {job.digest!r})
        context = job.make_context()
        import filed_helper
        print(context.rl_config.rate, filed_helper.RATE, job == Job.unpack(job.pack(), job.digest))
    """
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=60, env=environ
    )
    assert (done.stdout, done.stderr) == ("0.5 0.125 True\n", "")


def test_the_digest_is_the_same_from_another_folder_and_another_after_a_change(tmp_path):
    digests = []
    for folder, change in (("one", ""), ("two", ""), ("three", "# changed\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "helper.py").write_text(change)
        (tmp_path / folder / "filed_job.py").write_text(
            textwrap.dedent(ALGORITHM) + "def later():\n    import helper\n"
        )
        call = f"from services.jobs.job_file import load_job; print(load_job('{folder}/filed_job.py', 'Grid').digest)"
        done = subprocess.run(
            [sys.executable, "-c", call], capture_output=True, text=True, timeout=60, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.stderr == ""
        digests.append(done.stdout)
    assert digests[0] == digests[1] != digests[2]


# --- mistakes


def refused(match, path, **given):
    with pytest.raises(UserError, match=match) as caught:
        load_job(path, **given)
    return str(caught.value)


def test_no_file(tmp_path):
    refused("no job file: name a Python file", "")
    refused(rf"there is no job file {tmp_path}/none.py", tmp_path / "none.py")
    refused("there is no job file no_such_module", "no_such_module")
    refused("there is no job file no_such.module", "no_such.module")
    refused("is no job file: a Python file is wanted", tmp_path)
    (tmp_path / "file.txt").write_text("")
    refused("file.txt is no job file", tmp_path / "file.txt")


def test_a_file_that_is_no_python(write):
    file = write("x = 1\nif if\n")
    assert refused("invalid", file) == f"{file}:2: invalid syntax: if if"


def test_an_exception_in_the_file_names_its_lines(write):
    file = write("import srl\nx = 1 / 0\n")
    with pytest.raises(AuthorError, match=r"failed in the job file filed_job.py:") as caught:
        load_job(file)
    assert f'File "{file}", line 2' in str(caught.value)
    assert "ZeroDivisionError" in str(caught.value)
    assert "importlib" not in str(caught.value)


def test_an_exception_in_its_function_names_its_lines(write):
    file = write("def job():\n    return undefined_name\n")
    with pytest.raises(AuthorError, match=r"^job failed in the job file(.|\n)*line 2(.|\n)*undefined_name"):
        load_job(file)


def test_a_file_that_says_nothing(write):
    text = refused("neither a function job", write("from srl.algorithms import ql\n"))
    assert job_file.EXAMPLE in text


def test_a_file_with_several_algorithms(write):
    second = 'register(Config(framework="2"), "", "", "", "")\n'
    text = textwrap.dedent(ALGORITHM).replace(
        "    rate: float = 0.5", '    framework: str = ""'
    ).replace('return "filed"', 'return "filed" + self.framework') + second  # fmt: skip
    refused(r"registers filed, filed2: say which with a function job\(\)", write(text), env="Grid")


def test_a_function_that_returns_something_else(write):
    refused(r"job\(\) returned None, and a srl.JobConfig is wanted", write("def job(): pass\n"))


def test_no_environment(write):
    refused(r"registers 'filed' and says no environment: .*srl submit .* --env ENV, SRL_JOB_ENV", write(ALGORITHM))


@pytest.mark.parametrize(
    ("env", "config", "match"),
    [
        (3, "ql.Config()", "JobConfig.env is 3: give the id"),
        ("''", "ql.Config()", "JobConfig.env is ''"),
        ("'Grid'", "ql.Config", "JobConfig.rl_config is <class .*give the Config"),
    ],
)
def test_a_job_config_of_something_else(write, env, config, match):
    text = f"import srl\nfrom srl.algorithms import ql\ndef job(): return srl.JobConfig({env}, {config})\n"
    refused(match, write(text))


def test_a_value_that_cannot_travel_is_named_with_its_place(write):
    text = """
        import srl
        from srl.algorithms import ql
        def job(): return srl.JobConfig(srl.EnvConfig("Grid", {"a": [1, {2}]}), ql.Config())
    """
    refused(r"EnvConfig.kwargs\['a'\]\[1\] is \{2\} of type set", write(text))


@pytest.mark.parametrize("name", ["random.py", "json.py"])
def test_a_file_with_the_name_of_a_module_of_python(write, name):
    refused("has the name of a module of Python itself: rename it", write(ALGORITHM, name))


def test_a_file_with_the_name_of_another_module(write):
    refused("another module 'pytest' .* is imported here already", write(ALGORITHM, "pytest.py"))


def test_a_file_with_a_dot_in_its_name(write):
    refused("a file with a dot in its name", write(ALGORITHM, "my.job.py"))


def test_a_job_config_may_be_made_by_hand():
    context = srl.JobConfig(srl.EnvConfig("Grid"), ql.Config(), timeout=5).to_context()
    assert (context.play_mode, context.timeout, context.max_train_count) == ("train_cluster", 5, -1)
    with pytest.raises(UsageError):
        srl.JobConfig(None, ql.Config()).to_context()


def test_a_job_of_built_in_parts_needs_no_files():
    context = srl.JobConfig("Grid", ql.Config()).to_context()
    assert Job.of(context, travels=True).files == {}
