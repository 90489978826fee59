"""A run in a notebook: a real IPython shell takes what is displayed."""

import base64
import io
import sys

import counting_env  # noqa: F401  registers the environments
import probe_rl
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image
from traitlets.config import Config

import srl
from srl.utils.usage import UsageError


def runner_of():
    return srl.Runner(srl.EnvConfig("Counting", {"length": 3}), probe_rl.Config())


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A shell that keeps no history, for which it would start a thread."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


@pytest.mark.usefixtures("shell")
def test_the_animation_is_the_output_of_the_cell():
    with capture_output() as captured:
        rewards = runner_of().animation_display(render_interval=70, render_scale=2, enable_progress=False)
    assert rewards == [6.0]
    (output,) = captured.outputs
    with Image.open(io.BytesIO(base64.b64decode(output.data["image/gif"]))) as image:
        assert (image.n_frames, image.info["duration"]) == (3, 70)


def test_outside_of_a_notebook():
    with pytest.raises(UsageError, match="animation_display shows the run in a notebook, and this is none"):
        runner_of().animation_display()


def test_without_ipython(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(UsageError, match="and this is none: use animation_save_gif"):
        runner_of().animation_display()
