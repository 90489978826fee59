"""Training from a memory that is already filled, or that others fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.context import RunContext, RunStateTrainer
from srl.base.run.callback import Hooks, RunCallback, call_all
from srl.base.run.past import Past
from srl.base.run.stop import INTERMEDIATE_STOP, StopConditions
from srl.utils.seed import set_random_states, set_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from srl.base.rl.trainer import RLTrainer


def train_only(
    context: RunContext,
    trainer: RLTrainer[Any, Any, Any],
    callbacks: Sequence[RunCallback] = (),
    past: Past | None = None,
) -> RunStateTrainer:
    """Train until a limit of `context` is reached or a callback returns True.

    `train()` is also called while the memory has nothing to give; it returns at once then. With a `past`, random
    numbers go on from there; limits count this run alone.
    """
    state = RunStateTrainer(trainer=trainer, memory=trainer.memory, parameter=trainer.parameter, past=past or Past())
    hooks = Hooks(callbacks)
    set_seed(context.seed, context.seed_enable_gpu)
    call_all(hooks.start, context, state)
    try:
        trainer.setup(context)
        if state.past.has_randomness_of(context.seed):
            set_random_states(state.past.random_states)
        call_all(hooks.trainer_start, context, state)
        _train(context, state, trainer, hooks)
        call_all(hooks.trainer_end, context, state)
        trainer.teardown()
    finally:
        call_all(hooks.end, context, state)
    return state


def _train(context: RunContext, state: RunStateTrainer, trainer: RLTrainer[Any, Any, Any], hooks: Hooks) -> None:
    stop_conditions = StopConditions(context, state)
    while not (end_reason := stop_conditions.training(state)):
        call_all(hooks.train_before, context, state)
        before = trainer.train_count
        trainer.train()
        trained = trainer.train_count - before
        state.train_count += trained
        state.is_step_trained = trained > 0
        if call_all(hooks.train_after, context, state):
            end_reason = INTERMEDIATE_STOP
            break
    state.end_reason = end_reason
