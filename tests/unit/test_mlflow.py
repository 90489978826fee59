"""MLflow: a real store in a folder gets metrics, settings and checkpoints, and gives them back."""

import sys
from pathlib import Path

import pytest

import srl
from srl.algorithms import ql
from srl.base.run.callback import RunCallback
from srl.runner.mlflow_store import _metric_name
from srl.utils.usage import UsageError

mlflow = pytest.importorskip("mlflow")


@pytest.fixture(autouse=True)
def uri(tmp_path, monkeypatch):
    # MLflow wants to be told that a folder is meant to be its store.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return f"file://{tmp_path / 'mlruns'}"


def make(uri, **settings):
    runner = srl.Runner("Grid", ql.Config(lr=0.25))
    runner.set_mlflow("exp", "first", {"kind": "test"}, uri, **settings)
    return runner


def run_of(uri, experiment="exp"):
    client = mlflow.MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return client, run


def files(client, run, folder):
    return sorted(Path(each.path).name for each in client.list_artifacts(run.info.run_id, folder))


def test_a_run_has_metrics_settings_and_checkpoints(uri):
    runner = make(uri, interval=1e-6, checkpoint_interval=1e-6)
    runner.train(max_episodes=30, enable_progress=False)
    client, run = run_of(uri)
    assert (run.info.run_name, run.info.status, run.data.tags["kind"]) == ("first", "FINISHED", "test")
    assert run.data.params["lr"] == "0.25"
    assert {"reward0", "step", "train", "trainer_size", "eval_reward0"} <= set(run.data.metrics)
    steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "step")]
    assert len(steps) == len(set(steps)) > 1
    assert steps[-1] == runner.trainer.train_count
    assert any(name.endswith("_last.pickle") for name in files(client, run, "checkpoints"))


def test_the_parameter_and_the_runner_come_back(uri):
    runner = make(uri)
    runner.train(max_episodes=30, enable_progress=False)
    same_settings = srl.load_mlflow("exp", tracking_uri=uri)
    assert same_settings.rl_config.lr == 0.25
    assert same_settings.parameter.backup() == runner.parameter.backup()
    other = srl.Runner("Grid", ql.Config())
    other.load_parameter_from_mlflow("exp", "first", uri)
    assert other.parameter.backup() == runner.parameter.backup()


def test_every_checkpoint_gets_a_page_with_an_episode(uri, tmp_path):
    runner = make(uri)
    runner.train(max_episodes=10, enable_progress=False)
    runner.make_html_all_parameters_in_mlflow("exp", tracking_uri=uri, max_steps=3)
    client, run = run_of(uri)
    pages = files(client, run, "html")
    assert [Path(page).stem for page in pages] == [Path(n).stem for n in files(client, run, "checkpoints")]
    text = Path(client.download_artifacts(run.info.run_id, f"html/{pages[0]}", str(tmp_path))).read_text()
    assert "data:image/gif;base64,R0lGOD" in text


def test_training_only_and_the_names_by_default(uri):
    runner = srl.Runner("Grid", ql.Config())
    runner.rollout(max_steps=50, enable_progress=False)
    runner.set_mlflow(tracking_uri=uri, interval=1e-6, enable_checkpoint=False, enable_eval=False)
    runner.train_only(max_train_count=20, enable_progress=False)
    client, run = run_of(uri, "Grid")
    assert run.info.run_name == "QL"
    assert run.data.metrics["trainer/train"] == runner.trainer.train_count
    assert files(client, run, "checkpoints") == []
    with pytest.raises(UsageError, match=r"has no checkpoint: train with set_mlflow\(enable_checkpoint=True\)"):
        runner.load_parameter_from_mlflow(tracking_uri=uri)


def test_train_mp(uri):
    runner = make(uri, interval=0.2)
    runner.train_mp(actor_num=2, timeout=2, enable_progress=False)
    client, run = run_of(uri)
    assert run.info.status == "FINISHED"
    assert {"train", "step", "actor1/step", "trainer/train", "trainer_size", "eval_reward0"} <= set(run.data.metrics)
    assert files(client, run, "checkpoints")[-1].endswith("_last.pickle")
    other = srl.Runner("Grid", ql.Config())
    other.load_parameter_from_mlflow("exp", tracking_uri=uri)
    assert other.parameter.backup() == runner.parameter.backup()


def test_a_run_that_an_error_ends_has_failed(uri):
    class Fail(RunCallback):
        def on_step_end(self, context, state):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make(uri).train(max_steps=10, enable_progress=False, callbacks=[Fail()])
    assert run_of(uri)[1].info.status == "FAILED"


def test_while_mlflow_refuses_training_goes_on_and_nothing_is_lost(uri, monkeypatch, caplog):
    real = mlflow.MlflowClient.log_batch
    refusals = []

    def log_batch(self, run_id, metrics=(), **kwargs):
        if metrics and len(refusals) < 3:
            refusals.append(True)
            raise mlflow.exceptions.MlflowException("away")
        return real(self, run_id, metrics=metrics, **kwargs)

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", log_batch)
    runner = make(uri, interval=1e-6)
    runner.train(max_episodes=30, enable_progress=False)
    assert caplog.text.count("not written to MLflow: away") == 1
    client, run = run_of(uri)
    logged = {metric.value for metric in client.get_metric_history(run.info.run_id, "step")}
    assert logged == {row["step"] for row in runner.get_history().logs}


def test_a_run_that_cannot_be_ended_is_said(uri, monkeypatch, caplog):
    def set_terminated(self, run_id, status):
        raise mlflow.exceptions.MlflowException("away")

    monkeypatch.setattr(mlflow.MlflowClient, "set_terminated", set_terminated)
    make(uri).train(max_episodes=2, enable_progress=False)
    assert "the run is not ended in MLflow: away" in caplog.text


def test_what_is_not_there(uri):
    runner = make(uri)
    with pytest.raises(UsageError, match="MLflow has no experiment 'other': check experiment_name and tracking_uri"):
        runner.load_parameter_from_mlflow("other", tracking_uri=uri)
    runner.train(max_episodes=1, enable_progress=False)
    with pytest.raises(UsageError, match="the experiment 'exp' has no run second"):
        runner.load_parameter_from_mlflow("exp", "second", uri)


def test_it_needs_a_history_and_its_package(uri, monkeypatch):
    runner = make(uri)
    runner.disable_history()
    with pytest.raises(UsageError, match="MLflow gets the rows of a history: do not disable it, or call disable_ml"):
        runner.train(max_steps=1)
    runner.disable_mlflow()
    runner.train(max_steps=1, enable_progress=False)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UsageError, match=r"set_mlflow needs mlflow: pip install 'srl-cluster\[mlflow\]'"):
        runner.set_mlflow()


def test_names_of_metrics():
    assert _metric_name("actor0", "env_a,b") == "env_a_b"
    assert _metric_name("actor1", "step") == "actor1/step"
    assert (_metric_name("trainer", "memory"), _metric_name("trainer", "trainer_loss")) == (
        "trainer/memory",
        "trainer_loss",
    )
