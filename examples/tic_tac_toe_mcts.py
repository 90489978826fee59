"""Tree search at tic-tac-toe: it plays against itself to learn, then against random play, or against you.

`python -m examples.tic_tac_toe_mcts` takes about ten seconds; with `--human` you set the crosses afterwards: type
the number of a free place.
"""

from __future__ import annotations

import argparse

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
    report(runner, options.games, first=True)
    report(runner, options.games, first=False)
    if options.human:
        play(runner)


def report(runner: srl.Runner, games: int, *, first: bool) -> None:
    players = [ME, RANDOM] if first else [RANDOM, ME]
    rewards = runner.evaluate(games, players=players, shuffle_player=False, enable_progress=False)
    mine = [each[players.index(ME)] for each in rewards]
    won, lost = mine.count(1.0), mine.count(-1.0)
    print(f"as the {'first' if first else 'second'} player: {won} won, {games - won - lost} tied, {lost} lost")


def play(runner: srl.Runner) -> None:
    """Play one game; `o` is the search and `x` the human."""
    ...


if __name__ == "__main__":
    main()
