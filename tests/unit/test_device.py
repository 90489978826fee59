"""Names of devices."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

import pytest

import srl
from services.jobs.job import Job
from services.training import Training
from srl.algorithms import ql
from srl.base.context import RunContext
from srl.utils.device import actor_device, tf_device, torch_device


@pytest.mark.parametrize(
    ("device", "torch", "tf"),
    [
        ("CPU", "cpu", "/CPU"),
        ("GPU", "cuda", "/GPU"),
        ("GPU:1", "cuda:1", "/GPU:1"),
        ("cuda:0", "cuda:0", "/CUDA:0"),
        ("mps", "mps", "/MPS"),
    ],
)
def test_names_by_framework(device: str, torch: str, tf: str) -> None:
    assert (torch_device(device), tf_device(device)) == (torch, tf)
    context = RunContext(device=device)
    assert (context.used_device_torch, context.used_device_tf) == (torch, tf)
    config = ql.Config()
    config.use_device(device)
    assert (config.used_device_torch, config.used_device_tf) == (torch, tf)
    assert config.copy().used_device_torch == torch


@pytest.mark.parametrize(("has_gpu", "name"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_where_there_is_one(has_gpu: bool, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch: Any = types.ModuleType("torch")
    torch.cuda = types.SimpleNamespace(is_available=lambda: has_gpu)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    assert torch_device("AUTO") == ql.Config().used_device_torch == name
    assert tf_device("auto") == "/CPU"


def test_auto_without_pytorch_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert torch_device("AUTO") == "cpu"


def test_devices_of_actors() -> None:
    assert actor_device("AUTO", 3) == actor_device([], 0) == "CPU"
    assert [actor_device(["GPU:0", "GPU:1"], i) for i in range(3)] == ["GPU:0", "GPU:1", "GPU:0"]


def test_services_compute_where_the_job_says() -> None:
    config, env = ql.Config(), srl.EnvConfig("Grid")
    context = RunContext(env, config, device="GPU:1", actor_devices=["CPU", "GPU:0"], max_train_count=1)
    job = Job.of(context)
    assert Training(job).config.used_device_torch == "cuda:1"
    assert Training(job, actor_num=2, actor_id=1).config.used_device_torch == "cuda:0"
