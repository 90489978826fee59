"""Tree search at tic-tac-toe: it plays against itself to learn, then against random play, or against you.

`python -m examples.tic_tac_toe_mcts` takes about ten seconds; with `--human` you set the crosses afterwards: type
the number of a free place.
"""

from __future__ import annotations

import argparse

import numpy as np

import srl
from srl.algorithms import mcts

ME, RANDOM = None, "random"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Tree search at tic-tac-toe")
    parser.add_argument("--steps", type=int, default=500, help="moves of training")
    parser.add_argument("--games", type=int, default=50, help="games of evaluation as each player")
    parser.add_argument("--human", action="store_true", help="then play against it")
    options = parser.parse_args(arguments)

    runner = srl.Runner("OX", mcts.Config())
    runner.train(max_steps=options.steps, players=[ME, ME], enable_progress=False)
    report(runner, options.games, [ME, RANDOM])
    report(runner, options.games, [RANDOM, ME])
    if options.human:
        runner.evaluate(1, players=[ME, "human"], shuffle_player=False, enable_progress=False)


def report(runner: srl.Runner, games: int, players: list[str | None]) -> None:
    """Play, and print how it went for the search."""
    rewards = runner.evaluate(games, players=players, shuffle_player=False, enable_progress=False)
    me = players.index(ME)
    mine = np.array(rewards)[:, me]
    print(f"as player {me}: {np.sum(mine > 0)} won, {np.sum(mine == 0)} tied, {np.sum(mine < 0)} lost")


if __name__ == "__main__":
    main()
