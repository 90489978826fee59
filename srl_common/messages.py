"""THE catalogue of what travels between the services: each message, who may send it, and what it carries.

A *client* (actor, learner or observer) opens the conversation with `Hello`; a *host* (the memory service, or the
learner when it hosts the Memory itself) answers with `Welcome` or `Refuse`. Nothing but `Hello` is accepted from a
client that has not been welcomed: it is answered with `Stranger`, and says `Hello` again.

A message is one value of `codec`: the list [kind, field, field, ...] in the order of the dataclass's fields.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from srl_common import codec
from srl_common.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Sequence

PROTOCOL = 3
"""Changes whenever bytes on the wire change; both sides must have the same."""


class Role(enum.StrEnum):
    """What a client is, and so what it may ask for."""

    ACTOR = "actor"
    LEARNER = "learner"
    OBSERVER = "observer"


class Form:
    """How the items of a chunk are laid out in `Call.body`."""

    BLOBS = "blobs"
    """[lengths uint32 (count,), the bytes of all items joined]: each item is what the author's serializer made."""
    TUPLES = "tuples"
    """A list of tuples: each item is the tuple that the author's serializer made."""
    CALLS = "calls"
    """A list of (args, kwargs): functions without a serializer."""
    COLUMNS = "columns"
    """A dict of arrays of shape (count, ...): items of one fixed schema, a raw frame a column."""


@dataclass(frozen=True)
class Hello:
    """A client introduces itself; the first message of every connection, and again after `Stranger`."""

    protocol: int
    role: str
    name: str
    """Human-readable, unique among the living: actor-0."""
    incarnation: bytes
    """16 random bytes of one life of the process: the key of delivery."""
    job_digest: str
    acked_seq: int
    """The last call that a host has acknowledged to this incarnation."""
    epoch: int
    """Fencing number of a learner, 0 for others: an older one is refused."""
    released: dict[str, int]
    """By recv endpoint, the last batch that the client's newest durable snapshot contains."""
    received: dict[str, int]
    """By recv endpoint, the last batch that reached this incarnation."""
    slot: int = -1
    """The number that an actor has, or wants; -1: any."""
    shard: int = 0
    """Which memory service it looks for, from 0..."""
    shards: int = 1
    """...of how many."""


@dataclass(frozen=True)
class Welcome:
    """The host's answer to `Hello`: what it has of this incarnation, and how far the client may go on."""

    protocol: int
    incarnation: bytes
    """Of the host: another one than before means that it was started anew."""
    applied_seq: int
    limit_seq: int
    slot: int = -1
    """Of an actor: its number, the wish of its `Hello` or the smallest that no other has."""
    actor_num: int = 0
    """How many actors there are, as far as numbers go: more than `slot`."""


@dataclass(frozen=True)
class Refuse:
    """The host's last word: what is wrong, with both sides' values, and what to change."""

    reason: str
    other_job: bool = False
    """The host works for another job, or not with what this client has of it: where there is a board, it will tell."""


@dataclass(frozen=True)
class Stranger:
    """The host does not know this client (any more): say `Hello`."""


@dataclass(frozen=True)
class Call:
    """A chunk of calls of one endpoint: worker functions from actors, trainer's send functions from learners."""

    seq: int
    endpoint: str
    form: str
    count: int
    body: Any
    version: tuple[int, int]
    """(epoch, train_count) of the parameter that the items were made with."""


@dataclass(frozen=True)
class Ack:
    """All calls up to `applied_seq` are in the journal and applied; up to `limit_seq` may be sent (the credit)."""

    applied_seq: int
    limit_seq: int


@dataclass(frozen=True)
class Pull:
    """A learner's credit for batches of one recv endpoint: prepare up to number `wanted`, forget up to `released`."""

    endpoint: str
    wanted: int
    released: int


@dataclass(frozen=True)
class Batch:
    """One answer of a recv endpoint, numbered from 1; kept by the host until it is released."""

    endpoint: str
    number: int
    value: Any


@dataclass(frozen=True)
class Beat:
    """Sign of life from the loop itself, with plain counters; the host answers with one of its own."""

    counters: dict[str, Any]


@dataclass(frozen=True)
class Watch:
    """An observer asks for a `View`."""


@dataclass(frozen=True)
class View:
    """The cluster as the host sees it: its own counters, and by client name the counters of its last `Beat`."""

    host: dict[str, Any]
    clients: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Bye:
    """A client leaves: all that it sent is acknowledged, its incarnation may be forgotten."""


Message: TypeAlias = Hello | Welcome | Refuse | Stranger | Call | Ack | Pull | Batch | Beat | Watch | View | Bye

CATALOGUE: tuple[type[Message], ...] = (
    Hello, Welcome, Refuse, Stranger, Call, Ack, Pull, Batch, Beat, Watch, View, Bye,
)  # fmt: skip
"""The position is the kind's number on the wire."""

MAY_SEND: dict[Role, frozenset[type[Message]]] = {
    Role.ACTOR: frozenset({Hello, Call, Beat, Bye}),
    Role.LEARNER: frozenset({Hello, Call, Pull, Beat, Bye}),
    Role.OBSERVER: frozenset({Hello, Watch, Beat, Bye}),
}

FROM_HOST = codec.Limits(head_bytes=256 << 20, message_bytes=1 << 30, container_items=64 << 20)
"""What a client takes from the host that it chose to connect to: a batch may hold all that has waited."""

_KIND = {message: kind for kind, message in enumerate(CATALOGUE)}
_FIELDS = {message: tuple(f.name for f in fields(message)) for message in CATALOGUE}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "int": int,
    "bool": bool,
    "str": str,
    "bytes": bytes,
    "tuple[int, int]": tuple,
    "dict[str, int]": dict,
    "dict[str, Any]": dict,
    "dict[str, dict[str, Any]]": dict,
    "Any": object,
}
_FIELD_TYPES = {message: tuple(_TYPES[str(f.type)] for f in fields(message)) for message in CATALOGUE}


def encode(message: Message) -> list[codec.Frame]:
    """Return the frames of `message`. Raises EncodeError when an author's value inside it cannot travel."""
    kind = type(message)
    limits = FROM_HOST if kind is Batch else codec.DEFAULT
    return codec.encode([_KIND[kind], *[getattr(message, name) for name in _FIELDS[kind]]], limits)


def decode(frames: Sequence[codec.Frame], limits: codec.Limits = codec.DEFAULT) -> Message:
    """Return the message in `frames`, its fields checked by type. Raises DecodeError and nothing else."""
    value = codec.decode(frames, limits)
    if not isinstance(value, list) or not value or type(value[0]) is not int:
        raise DecodeError("not a message: a list that begins with the number of a kind is wanted")
    number, *values = value
    if not 0 <= number < len(CATALOGUE):
        raise DecodeError(f"message kind {number} is unknown to protocol {PROTOCOL}")
    kind = CATALOGUE[number]
    _check_fields(kind, values)
    return kind(*values)


def _check_fields(kind: type[Message], values: list[Any]) -> None:
    names, types = _FIELDS[kind], _FIELD_TYPES[kind]
    if len(values) != len(names):
        raise DecodeError(f"{kind.__name__} has {len(names)} fields, not {len(values)}")
    for name, wanted, value in zip(names, types, values, strict=True):
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise DecodeError(f"{kind.__name__}.{name} cannot be a {type(value).__name__}")
    if kind is Call and (len(values[5]) != 2 or not all(type(part) is int for part in values[5])):
        raise DecodeError("Call.version is not (epoch, train_count)")
    for name, value in zip(names, values, strict=True):
        if name in {"released", "received"} and kind is Hello:
            _check_positions(value)


def _check_positions(positions: dict[Any, Any]) -> None:
    if not all(type(name) is str and type(number) is int for name, number in positions.items()):
        raise DecodeError("Hello names a batch position that is not a name and a number")
