"""One training run of either library, in a process of its own: prints one JSON line. Run by `benchmarks.learning`."""

import argparse
import importlib
import json
import random
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from learning_cases import CASES, EPISODES, SCREENING, TABLE_CASES, Case, TableCase


class Clock:
    """Seconds of training, on the wall and of CPU; it can stand still."""

    def __init__(self):
        self.wall_s = self.cpu_s = 0.0
        self.go()

    def go(self):
        self.begun = time.perf_counter(), time.process_time()

    def stop(self):
        self.wall_s += time.perf_counter() - self.begun[0]
        self.cpu_s += time.process_time() - self.begun[1]


class Curve:
    """Evaluations in the course of a run, for which the clock stands still."""

    def __init__(self, case, evaluate):
        self.case = case
        self.evaluate = evaluate
        self.points = []
        self.clock = Clock()

    def at(self, steps):
        """Evaluate if it is time; tell whether the threshold is reached."""
        if steps % self.case.interval:
            return False
        self.clock.stop()
        reward = float(np.mean(self.evaluate(SCREENING)))
        if reward >= self.case.threshold:
            reward = float(np.mean(self.evaluate(EPISODES)))
        self.points.append([steps, self.clock.wall_s, reward])
        self.clock.go()
        return reward >= self.case.threshold

    def result(self):
        steps, _, reward = self.points[-1]
        return result(steps, self.clock, reward, self.case.threshold) | {"points": self.points}


def result(steps, clock, reward, threshold):
    return {
        "reached": float(reward >= threshold),
        "env_steps": steps,
        "wall_s": clock.wall_s,
        "cpu_s": clock.cpu_s,
        "reward": reward,
    }


def our_config(name: str, case: Case):
    config = importlib.import_module(f"srl.algorithms.{name}").Config(**case.ours)
    config.hidden_sizes = list(case.net_arch)
    if case.capacity:
        config.memory.capacity, config.memory.warmup_size = case.capacity, case.warmup
    if case.exploration_steps:
        config.epsilon_scheduler.set_linear(1.0, case.final_epsilon, case.exploration_steps)
    return config


def run_ours(name: str, seed: int) -> dict:
    import srl
    from srl.base.run.callback import RunCallback

    case = CASES[name]
    runner = srl.Runner(srl.EnvConfig(case.env), our_config(name, case))
    runner.set_seed(seed)
    player = srl.Runner(srl.EnvConfig(case.env), our_config(name, case))
    player.context.seed = 1_000_000 + seed

    def evaluate(episodes):
        numbers = random.getstate(), np.random.get_state()
        player.parameter.restore(runner.parameter.backup())
        rewards = player.evaluate(max_episodes=episodes, enable_progress=False)
        random.setstate(numbers[0])
        np.random.set_state(numbers[1])
        return rewards

    class Evaluation(RunCallback):
        def on_step_end(self, context, state, **kwargs):
            return curve.at(state.total_step)

    curve = Curve(case, evaluate)
    runner.train(
        max_steps=case.max_steps,
        train_interval=case.train_interval,
        enable_progress=False,
        callbacks=[Evaluation()],
    )
    return curve.result()


def run_theirs(name: str, seed: int) -> dict:
    import gymnasium
    import stable_baselines3
    import torch
    from stable_baselines3.common.callbacks import BaseCallback

    torch.set_num_threads(1)
    case = CASES[name]
    arguments = dict(case.theirs)
    if case.capacity:
        arguments |= {
            "buffer_size": case.capacity,
            "learning_starts": case.warmup,
            "train_freq": case.train_interval,
            "gradient_steps": 1,
        }
    if case.exploration_steps:
        fraction = case.exploration_steps / case.max_steps
        arguments |= {"exploration_fraction": fraction, "exploration_final_eps": case.final_epsilon}
    algorithm = getattr(stable_baselines3, name.upper())
    policy = {"net_arch": list(case.net_arch)}
    model = algorithm("MlpPolicy", gymnasium.make(case.env), seed=seed, device="cpu", policy_kwargs=policy, **arguments)
    env = gymnasium.make(case.env)

    def evaluate(episodes):
        numbers = random.getstate(), np.random.get_state(), torch.get_rng_state()
        rewards = [play(seed + i) for i in range(episodes)]
        random.setstate(numbers[0])
        np.random.set_state(numbers[1])
        torch.set_rng_state(numbers[2])
        return rewards

    def play(episode):
        state, _ = env.reset(seed=1_000_000 + episode)
        total, done = 0.0, False
        while not done:
            action, _ = model.predict(state, deterministic=True)
            state, reward, terminated, truncated, _ = env.step(action)
            total += float(reward)
            done = terminated or truncated
        return total

    class Evaluation(BaseCallback):
        def _on_step(self):
            return not curve.at(self.num_timesteps)

    curve = Curve(case, evaluate)
    model.learn(case.max_steps, callback=Evaluation())
    return curve.result()


def run_table(name: str, seed: int) -> dict:
    """Train one of ours that has no network, and evaluate it."""
    import srl

    case: TableCase = TABLE_CASES[name]
    config = importlib.import_module(f"srl.algorithms.{name}").Config(**case.fields)
    runner = srl.Runner(case.env, config)
    runner.set_seed(seed)
    clock = Clock()
    if case.train_steps:
        runner.train(max_steps=case.train_steps, enable_progress=False)
    clock.stop()
    players = [None, case.opponent] if case.opponent else []
    rewards = runner.evaluate(max_episodes=case.episodes, players=players, enable_progress=False)
    figure = np.mean([mine >= other for mine, other in rewards]) if case.opponent else np.mean(rewards)
    return result(case.train_steps, clock, float(figure), case.threshold)


RUNS = {"srl": run_ours, "stable-baselines3": run_theirs, "table": run_table}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", choices=RUNS, required=True)
    parser.add_argument("--case", required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print("RESULT " + json.dumps(RUNS[args.library](args.case, args.seed)))


if __name__ == "__main__":
    main()
