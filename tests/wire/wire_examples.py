"""One example of every message, in every form that its content travels in: what the golden vectors are made of."""

from __future__ import annotations

import numpy as np

from srl_common.messages import (
    Ack,
    Batch,
    Beat,
    Bye,
    Call,
    Form,
    Hello,
    Message,
    Pull,
    Refuse,
    Role,
    Stranger,
    View,
    Watch,
    Welcome,
)

INCARNATION = bytes(range(1, 17))
DIGEST = "5e" * 32
PIXELS = np.arange(96 * 96, dtype=np.uint8).reshape(96, 96)
"""Large enough for a frame of its own."""

EXAMPLES: dict[str, Message] = {
    "Hello": Hello(3, Role.LEARNER.value, "learner", INCARNATION, DIGEST, 7, 3, {"sample": 40}, {"sample": 45}),
    "Hello of an actor": Hello(3, Role.ACTOR.value, "actor-0", INCARNATION, DIGEST, 0, 0, {}, {}, 3, 1, 2),
    "Welcome": Welcome(3, INCARNATION, 7, 15),
    "Welcome of an actor": Welcome(3, INCARNATION, 7, 15, 3, 8),
    "Refuse": Refuse("'actor-0' speaks protocol 2, this service 3"),
    "Refuse of another job": Refuse("'actor-0' works for job 5e5e5e5e5e5e, this service for 123456789abc", True),
    "Stranger": Stranger(),
    "Call of byte strings": Call(
        8, "add", Form.BLOBS, 2, [np.array([3, 2], np.uint32), b"onetw"], (3, 1000)
    ),
    "Call of tuples": Call(9, "add", Form.TUPLES, 2, [("state", 1, None), (np.float32(0.5), b"x", True)], (0, 0)),
    "Call of arguments": Call(10, "update", Form.CALLS, 1, [((np.arange(3), 2.5), {"step": 2**70})], (3, 1000)),
    "Call of columns": Call(
        11, "add", Form.COLUMNS, 2, {"state": np.array([[1, 2], [3, 4]], np.float32), "done": np.array([0, 1], bool)},
        (3, 1000),
    ),
    "Ack": Ack(11, 19),
    "Pull": Pull("sample", 50, 45),
    "Batch": Batch("sample", 46, {"items": [(1, "a"), (2, "b")], "weights": np.ones(2, np.float64)}),
    "Batch with a frame of its own": Batch("sample", 47, (PIXELS, np.int64(-1))),
    "Beat": Beat({"env_steps": 120, "reward": -0.25, "info": {"loss": 1e-3}}),
    "Watch": Watch(),
    "View": View({"memory_length": 10}, {"actor-0": {"role": "actor", "env_steps": 120}}),
    "Bye": Bye(),
}  # fmt: skip
