"""Monte Carlo tree search with UCB1 (UCT), for environments that can be saved and restored.

Kocsis, L., and Szepesvari, C. (2006). Bandit based Monte-Carlo planning. Proceedings of the 17th European
Conference on Machine Learning, 282-293.

Before each move, `simulations` times, from the current state:

    in the tree    a = argmax_a W(s, a) / N(s, a) + c * sqrt(ln N(s) / N(s, a)), untried actions first
    at its edge    a new state joins the tree, and random actions from there on end the episode
    on the way up  N(s, a) += 1,  W(s, a) += G, the return from there on of the player who moved in s

then the action that was tried most often is played. Every player looks after its own return, which in a game
of two where one's gain is the other's loss is minimax. States are told apart by what is observed and by whose
turn it is, so the players must see all there is. Outcomes of an action may be random.

Training adds the counts of every search to tables that later searches start from. The worker's own tree lasts
for one move: it begins with what the tables hold, and goes into them through the Memory, so that each
simulation is counted once, also where many actors search for one learner.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker
from srl.base.spaces.discrete import DiscreteSpace
from srl.base.spaces.space import SpaceBase
from srl.rl.memories.single_use_buffer import RLSingleUseBuffer

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.worker_run import WorkerRun

State = tuple[int, str]
"""Whose turn it is, and what is observed."""
Path = list[tuple[State, int, float]]
"""The moves that a simulation made inside the tree: state, action, return."""
Move = tuple[State, int, list[float]]
"""One of them while its return is not known yet: state, action, the step's reward of each player."""


@dataclass
class Config(RLConfig[DiscreteSpace, SpaceBase[Any]]):
    """Hyperparameters."""

    simulations: int = 50
    """Simulations before each move."""
    c: float = math.sqrt(2)
    """How much untried actions are preferred; the greater returns are, the greater it must be."""
    gamma: float = 1.0
    """Discount: what a reward one step later is worth."""
    max_depth: int = 500
    """Most steps of a simulation."""

    def get_name(self) -> str:
        return "MCTS"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.NONE

    def use_backup_restore(self) -> bool:
        return True

    def validate_params(self) -> None:
        super().validate_params()
        for name in ("simulations", "max_depth"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"mcts.Config.{name} is {value}; it must be 1 or more")
        if self.c < 0:
            raise ValueError(f"mcts.Config.c is {self.c}; it must be 0 or more")
        if not 0 <= self.gamma <= 1:
            raise ValueError(f"mcts.Config.gamma is {self.gamma}; it must be between 0 and 1")


class Memory(RLSingleUseBuffer[Config]):
    """Searches: the paths of the simulations before one move."""


class Node:
    """What is known of a state: N and W of each action."""

    def __init__(self, visits: list[int], returns: list[float]) -> None:
        self.visits = visits
        self.returns = returns

    def copy(self) -> Node:
        return Node(self.visits[:], self.returns[:])

    def add(self, action: int, total: float) -> None:
        self.visits[action] += 1
        self.returns[action] += total

    def is_tried(self) -> bool:
        return any(self.visits)

    def value(self, action: int) -> float:
        """Return the mean return of an action, 0 if it is untried."""
        return self.returns[action] / max(self.visits[action], 1)

    def ucb1(self, valid_actions: list[int], c: float) -> int:
        """Return an untried action at random, or else the one of the largest upper bound."""
        visits = self.visits
        untried = [action for action in valid_actions if visits[action] == 0]
        if untried:
            return random.choice(untried)
        log_total = math.log(sum(visits))
        return max(valid_actions, key=lambda a: self.returns[a] / visits[a] + c * math.sqrt(log_total / visits[a]))


class Parameter(RLParameter[Config]):
    """The table of nodes."""

    def setup(self) -> None:
        self.nodes: dict[State, Node] = {}

    def call_backup(self, **_kwargs: Any) -> Any:
        return {state: (node.visits[:], node.returns[:]) for state, node in self.nodes.items()}

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        self.nodes = {state: Node(visits[:], returns[:]) for state, (visits, returns) in data.items()}

    def get_node(self, state: State) -> Node:
        """Return the table's own node of a state, which joins it if it is new."""
        node = self.nodes.get(state)
        if node is None:
            node = self.nodes[state] = self.new_node()
        return node

    def new_node(self) -> Node:
        action_num = self.config.action_space.n
        return Node([0] * action_num, [0.0] * action_num)


class Trainer(RLTrainer[Config, Parameter, Memory]):
    """Adds searches to the table."""

    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return
        for search in batch:
            for path in search:
                for state, action, total in path:
                    self.parameter.get_node(state).add(action, total)
            self.train_count += len(search)
        self.info["size"] = len(self.parameter.nodes)


class Worker(RLWorker[Config, Parameter, Memory]):
    """Searches, then plays the action tried most often; in training one drawn by how often it was tried."""

    def policy(self, worker: WorkerRun) -> int:
        root, search = self._search(worker.env)
        if self.training:
            self.memory.add(search)
        action = self._choose(root, worker.get_valid_actions())
        self.root = root
        self.info["value"] = root.value(action)
        return action

    def _choose(self, root: Node, valid_actions: list[int]) -> int:
        visits = [root.visits[action] for action in valid_actions]
        if self.training:
            return random.choices(valid_actions, visits)[0]
        return valid_actions[visits.index(max(visits))]

    def _search(self, env: EnvRun) -> tuple[Node, list[Path]]:
        self.tree: dict[State, Node] = {}
        root = self._join(self._state_of(env))
        start = env.backup()
        search = []
        for _ in range(self.config.simulations):
            search.append(self._simulate(env))
            env.restore(start)
        return root, search

    def _simulate(self, env: EnvRun) -> Path:
        """Play on to the end, and return what it says of the moves made inside the tree."""
        depth_left = self.config.max_depth
        moves: list[Move] = []
        inside = True
        while inside and not env.done and depth_left > 0:
            state = self._state_of(env)
            node = self.tree.get(state) or self._join(state)
            inside = node.is_tried()
            action = node.ucb1(self._valid_actions(env), self.config.c)
            env.step(self.config.action_decode(action), self.config.frameskip)
            moves.append((state, action, env.rewards))
            depth_left -= 1
        return self._back_up(moves, self._play_randomly(env, depth_left))

    def _play_randomly(self, env: EnvRun, depth_left: int) -> list[float]:
        """Return the return of each player."""
        totals = [0.0] * env.player_num
        weight = 1.0
        while not env.done and depth_left > 0:
            env.step(env.sample_action(), self.config.frameskip)
            totals = [total + weight * reward for total, reward in zip(totals, env.rewards, strict=True)]
            weight *= self.config.gamma
            depth_left -= 1
        return totals

    def _back_up(self, moves: list[Move], totals: list[float]) -> Path:
        gamma = self.config.gamma
        path = []
        for state, action, rewards in reversed(moves):
            totals = [reward + gamma * total for reward, total in zip(rewards, totals, strict=True)]
            mover = state[0]
            self.tree[state].add(action, totals[mover])
            path.append((state, action, totals[mover]))
        return path

    def _state_of(self, env: EnvRun) -> State:
        observation = self.config.state_encode_one_step(env.state, env)
        return env.next_player, self.config.observation_space_one_step.to_str(observation)

    def _join(self, state: State) -> Node:
        """Let a state join the tree, with what training knows of it."""
        known = self.parameter.nodes.get(state)
        node = self.tree[state] = known.copy() if known is not None else self.parameter.new_node()
        return node

    def _valid_actions(self, env: EnvRun) -> list[int]:
        invalid_actions = [self.config.action_encode(action) for action in env.invalid_actions]
        return self.config.action_space.get_valid_actions(invalid_actions)

    def render_terminal(self, worker: WorkerRun, **_kwargs: Any) -> None:
        root = self.root
        worker.print_discrete_action_info(
            worker.action, lambda action: f"{root.value(action):8.5f} ({root.visits[action]} times)"
        )


register(
    Config(),
    __name__ + ":Memory",
    __name__ + ":Parameter",
    __name__ + ":Trainer",
    __name__ + ":Worker",
)
