"""One training run of either library, in a process of its own: prints one JSON line. Run by `benchmarks.train`."""

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import q_learning

import srl
from srl.base.run.callback import RunCallback


@dataclass
class StepCounter(RunCallback):
    """Writes down what one process did: env steps of an actor, updates of a trainer, and in how many seconds."""

    folder: str = ""

    def _begin(self) -> None:
        self.begun_s = time.perf_counter()

    def _note(self, kind: str, count: int) -> None:
        seconds = time.perf_counter() - self.begun_s
        Path(self.folder, f"{kind}-{os.getpid()}.json").write_text(json.dumps({"count": count, "seconds": seconds}))

    def on_episodes_begin(self, context, state, **kwargs):
        self._begin()

    def on_episodes_end(self, context, state, **kwargs):
        self._note("steps", state.total_step)
        if state.trainer is not None:
            self._note("trained", state.trainer.train_count)

    def on_trainer_start(self, context, state, **kwargs):
        self._begin()

    def on_trainer_end(self, context, state, **kwargs):
        self._note("trained", state.trainer.train_count)


def rate(folder: str, kind: str) -> float:
    """Return counts per second, summed over processes."""
    notes = [json.loads(file.read_text()) for file in Path(folder).glob(f"{kind}-*.json")]
    return sum(note["count"] / note["seconds"] for note in notes)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=("train", "train_mp"), required=True)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0)
    args = parser.parse_args()
    runner = srl.Runner(srl.EnvConfig("Grid"), q_learning.Config(lr=0.01))
    with tempfile.TemporaryDirectory() as folder:
        callbacks = [StepCounter(folder)]
        if args.mode == "train":
            runner.train(timeout=args.seconds, enable_progress=False, callbacks=callbacks)
        else:
            runner.train_mp(actor_num=args.actors, timeout=args.seconds, enable_progress=False, callbacks=callbacks)
        result = {"env_steps_per_s": rate(folder, "steps"), "trained_per_s": rate(folder, "trained")}
    rewards = runner.evaluate(max_episodes=100, enable_progress=False)
    print("RESULT " + json.dumps({**result, "reward": sum(rewards) / len(rewards)}))


if __name__ == "__main__":
    main()
