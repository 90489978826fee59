"""`srl envs` and `srl algorithms`: what is there."""

from typing import Annotated, Any

import typer

from srl.cli import choice, listing
from srl.cli.output import AsJson, print_json, print_table


def envs(
    env: Annotated[
        str, typer.Argument(metavar="ENV", autocompletion=choice.complete_env, help="Show the spaces of this one.")
    ] = "",
    gymnasium: Annotated[bool, typer.Option("--gymnasium", help="List those of gymnasium too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the environments, or show one.

        srl envs                 what comes with the package
        srl envs --gymnasium     and what the installed gymnasium has
        srl envs CartPole-v1     spaces, players and limits of one

    Next: srl render Grid shows an episode; srl train Grid ql learns it.
    """
    if env:
        _show_env(env, as_json=as_json)
        return
    found = listing.environments()
    if gymnasium:
        found |= dict.fromkeys(_of_gymnasium(), "gymnasium")
    if as_json:
        print_json(found)
    else:
        print_table(["environment", "what it is"], found.items())


def algorithms(
    algorithm: Annotated[
        str,
        typer.Argument(
            metavar="ALGORITHM", autocompletion=choice.complete_algorithm, help="Show the settings of this one."
        ),
    ] = "",
    show_all: Annotated[bool, typer.Option("--all", help="Show the settings that all algorithms have, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the algorithms, or show the settings of one.

        srl algorithms           what comes with the package
        srl algorithms dqn       each setting of dqn: type, default, meaning

    Next: srl train Grid dqn -s lr=0.01 -s hidden_sizes=32,32
    """
    if algorithm:
        _show_algorithm(algorithm, inherited=show_all, as_json=as_json)
    elif as_json:
        print_json(listing.algorithms())
    else:
        print_table(["algorithm", "what it is"], listing.algorithms().items())


def _of_gymnasium() -> list[str]:
    import importlib.util

    from srl.utils.usage import UsageError

    if importlib.util.find_spec("gymnasium") is None:
        raise UsageError("gymnasium is not installed: pip install 'srl-cluster[gymnasium]'")
    from srl.base.env.gymnasium_wrapper import known_ids

    return known_ids()


def _show_env(env: str, *, as_json: bool) -> None:
    from srl.base.env.registration import make

    made = make(env)
    baseline: Any = made.reward_baseline
    rows = {
        "environment": env,
        "action space": str(made.action_space),
        "observation space": str(made.observation_space),
        "players": str(made.player_num),
        "steps of an episode": f"at most {made.max_episode_steps}",
        "good reward": str(baseline.get("baseline", "-") if isinstance(baseline, dict) else "-"),
    }
    made.close()
    if as_json:
        print_json(rows)
    else:
        print_table(["", ""], rows.items())


def _show_algorithm(algorithm: str, *, inherited: bool, as_json: bool) -> None:
    config = choice.make_context("Grid", algorithm).rl_config
    rows = listing.field_rows(config, inherited=inherited)
    headings = ["setting", "type", "default", "meaning"]
    if as_json:
        print_json([dict(zip(headings, row, strict=True)) for row in rows])
    else:
        print_table(headings, rows)
