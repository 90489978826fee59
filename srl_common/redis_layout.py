"""How snapshots lie in Redis: the names of keys, the entries of the index, the record of one snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from srl_common import codec
from srl_common.errors import DecodeError
from srl_common.snapshots import Head, SnapshotInfo, Version, damaged, version_text


def key(job: str, *names: str | int) -> str:
    """Return a key of `job`. The braces keep all of them on one node of a Redis cluster."""
    return f"srl:{{{job}}}:{':'.join(map(str, names))}"


def epoch_key(job: str) -> str:
    return key(job, "epoch")


def index_key(job: str) -> str:
    return key(job, "index")


def head_key(job: str, version: Version) -> str:
    return key(job, "head", version_text(version))


def channel(job: str) -> str:
    return key(job, "changed")


EPOCH_KEYS = key("*", "epoch")
"""Matches the epoch keys of all jobs."""


def job_of(found: bytes) -> str:
    """Return the job of one of `EPOCH_KEYS`."""
    return found.decode().removeprefix("srl:{").removesuffix("}:epoch")


def entry(info: SnapshotInfo) -> str:
    """Return the entry of the index; the order of entries as text is that of versions."""
    return f"{info.version[0]:010d}:{info.version[1]:015d}:{info.created_s:.3f}:{info.bytes}:{info.digest}"


def read_entry(data: bytes, where: str) -> SnapshotInfo:
    """Return what `entry` made the text of. Raises CorruptError."""
    try:
        epoch, train_count, created_s, size, digest = data.decode().split(":")
        return SnapshotInfo((int(epoch), int(train_count)), float(created_s), int(size), digest)
    except ValueError:
        raise damaged(where) from None


@dataclass(frozen=True)
class Record:
    """The head of a snapshot, and where its bytes are."""

    head: Head
    token: str
    """Of the attempt to publish that wrote the pieces: no other one touches them."""
    data_pieces: int
    worker_pieces: int

    @classmethod
    def unpack(cls, data: bytes, where: str) -> Record:
        """Return what `pack` made the bytes of. Raises CorruptError."""
        try:
            head, token, data_pieces, worker_pieces = codec.unpack(data)
            return cls(Head.unpack(head, where), str(token), int(data_pieces), int(worker_pieces))
        except (DecodeError, TypeError, ValueError):
            raise damaged(where) from None

    def pack(self) -> bytes:
        return codec.pack([self.head.pack(), self.token, self.data_pieces, self.worker_pieces])

    def data_keys(self, job: str) -> list[str]:
        return [key(job, "data", self.token, n) for n in range(self.data_pieces)]

    def worker_keys(self, job: str) -> list[str]:
        return [key(job, "worker", self.token, n) for n in range(self.worker_pieces)]


def split(data: bytes, piece_bytes: int) -> list[memoryview]:
    """Return the pieces of `data`, none of which is copied."""
    view = memoryview(data)
    return [view[begin : begin + piece_bytes] for begin in range(0, len(data), piece_bytes)]
