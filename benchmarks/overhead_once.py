"""Runs of either library with nothing in them: prints one JSON line. Run by `benchmarks.overhead`."""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import do_nothing

import srl
from srl.base.run.callback import RunCallback

RUN_S = 0.1


@dataclass
class StepRate(RunCallback):
    """Env steps a second of CPU time of one run, without setup and teardown."""

    per_s: float = 0.0

    def on_episodes_begin(self, context, state, **kwargs):
        self.begun_s = time.process_time()

    def on_episodes_end(self, context, state, **kwargs):
        self.per_s = state.total_step / (time.process_time() - self.begun_s)


def step_rate(observation, mode, seconds):
    runner = srl.Runner(srl.EnvConfig(f"{observation}Nowhere"), do_nothing.Config())
    rate = StepRate()
    if mode == "train":
        runner.train(timeout=seconds, enable_progress=False, callbacks=[rate])
    else:
        runner.evaluate(max_episodes=-1, timeout=seconds, enable_progress=False, callbacks=[rate])
    return rate.per_s


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, required=True, help="of which the fastest counts: the least disturbed one")
    args = parser.parse_args()
    result = {
        f"{mode} {observation}": max(step_rate(observation, mode, RUN_S) for _ in range(args.runs))
        for mode in ("evaluate", "train")
        for observation in ("Discrete", "Box")
    }
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    main()
