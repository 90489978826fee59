"""The specification's example, unmodified, from its first line to its last."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

EXAMPLE = Path(__file__).parents[2].parent / "shared" / "spec" / "example_q_learning.py"

pytestmark = [
    pytest.mark.skipif(not EXAMPLE.exists(), reason="the specification is not beside this checkout"),
    pytest.mark.timeout(600),
]


def run(script, folder):
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def mean_of(out):
    return float(re.search(r"100エピソードの平均結果 (\S+)", out)[1])


def test_it_runs_to_its_end_and_learns(tmp_path):
    # The best policy's mean is 0.73, but of a hundred episodes it is below 0.65 now and then, and with the example's
    # learning rate the policy itself keeps changing: of five runs, one must reach it.
    for _ in range(5):
        out = run(EXAMPLE, tmp_path)
        if mean_of(out) >= 0.65:
            break
    assert mean_of(out) >= 0.65
    frames = re.findall(r"^### (\d+)(, done\(.*\))?$", out, re.MULTILINE)
    assert [int(number) for number, _ in frames] == list(range(len(frames)))
    assert [bool(done) for _, done in frames] == [False] * (len(frames) - 1) + [True]
    with Image.open(tmp_path / "_MyRL-Grid.gif") as image:
        assert image.n_frames >= 3


def test_it_passes_with_test_instead_of_main(tmp_path):
    script = tmp_path / "example.py"
    text = EXAMPLE.read_text(encoding="utf-8")
    script.write_text(text.replace("    # test()\n    main()", "    test()"), encoding="utf-8")
    assert "### 0" in run(script, tmp_path)


@pytest.mark.parametrize("mode", ["rollout", "mp"])
def test_its_algorithm_passes_the_kit_in_every_mode(tmp_path, mode):
    script = tmp_path / "example.py"
    text = EXAMPLE.read_text(encoding="utf-8").replace("    # test()\n    main()", "    test()")
    script.write_text(text.replace("test_rl(Config())", f"test_rl(Config(), test_mode={mode!r})"), encoding="utf-8")
    assert "### 0" in run(script, tmp_path)
