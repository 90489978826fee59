"""What `self.memory` is for a Worker in an actor: the registered worker functions, and `length`.

Calls are gathered into a chunk, which leaves when it is full or old. There is one open chunk: a call of another
function sends it first, so that the Memory sees all calls of this actor in the order in which they were made. With no
credit left, a call blocks; it never drops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from services.actor.chunk import Chunk, ColumnChunk, ItemChunk
from srl.rl.memories.schema import SchemaError
from srl_common.errors import EncodeError
from srl_common.histogram import BYTES, ITEMS, Histogram
from srl_common.messages import Form

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl.base.rl.memory import RLMemory, WorkerFunc
    from srl_common.link import Link


class RemoteMemory:
    """The stand-in for the author's Memory.

    Args:
        memory: an instance of the author's Memory, for what it registers and its serializers.
        link: to the Memory's host.
        chunk_items, chunk_bytes, chunk_age_s: when a chunk leaves.
        clock: seconds, monotonic.
        give_up: tells a blocked call that the time to drain is over.
        version: (epoch, train_count) of the parameter in use.
    """

    def __init__(
        self,
        memory: RLMemory[Any],
        link: Link,
        chunk_items: int,
        chunk_bytes: int,
        chunk_age_s: float,
        clock: Callable[[], float],
        give_up: Callable[[], bool],
        version: Callable[[], tuple[int, int]],
    ) -> None:
        self._name = type(memory).__name__
        self._link = link
        self._chunk_items, self._chunk_bytes, self._chunk_age_s = chunk_items, chunk_bytes, chunk_age_s
        self._clock = clock
        self._give_up = give_up
        self._version = version
        self._open: Chunk | None = None
        self._begun_s = 0.0
        self.chunks_sent = 0
        self.chunk_items = Histogram(ITEMS)
        self.chunk_bytes = Histogram(BYTES)
        self.items_sent = dict.fromkeys(memory.get_worker_funcs(), 0)
        for name, worker in memory.get_worker_funcs().items():
            setattr(self, name, self._endpoint(name, worker))

    def length(self) -> int:
        """Return the Memory's length as its host last said, -1 before."""
        return int(self._link.host_counters.get("memory_length", -1))

    def __getattr__(self, name: str) -> NoReturn:
        # Only reached for what is not there: the error says what is, and what to do.
        raise AttributeError(
            f"an actor's memory has no '{name}': it has what {self._name}.setup registers with "
            f"register_worker_func ({', '.join(self.items_sent) or 'nothing'}), and length"
        )

    def flush(self) -> None:
        """Send the open chunk. Blocks while there is no credit."""
        chunk, self._open = self._open, None
        if chunk is None:
            return
        self._link.wait_for_credit(self._give_up)
        try:
            self._link.call(chunk.endpoint, chunk.form, chunk.count, chunk.body(), self._version())
        except EncodeError as error:
            raise EncodeError(f"{self._name}.{chunk.endpoint}: an item cannot travel: {error}") from None
        self.chunks_sent += 1
        self.chunk_items.observe(chunk.count)
        self.chunk_bytes.observe(chunk.bytes)
        self.items_sent[chunk.endpoint] += chunk.count

    def flush_old(self) -> None:
        """Send the open chunk if it has waited long enough."""
        if self._open is not None and self._clock() - self._begun_s >= self._chunk_age_s:
            self.flush()

    def _endpoint(self, name: str, worker: WorkerFunc) -> Callable[..., None]:
        """Return the function that the Worker calls under `name`."""
        one_by_one = self._calls(name) if worker.serializer is None else self._serialized(name, worker)
        endpoint = one_by_one if worker.columns is None else self._columns(name, one_by_one)
        endpoint.__name__ = name
        return endpoint

    def _calls(self, name: str) -> Callable[..., None]:
        def call(*args: Any, **kwargs: Any) -> None:
            self._gather(name, Form.CALLS, (args, kwargs))

        return call

    def _serialized(self, name: str, worker: WorkerFunc) -> Callable[..., None]:
        def call(*args: Any, **kwargs: Any) -> None:
            raw = worker.serialize(args, kwargs)
            if len(raw) == 1 and type(raw[0]) is bytes:
                self._gather(name, Form.BLOBS, raw[0])
            else:
                self._gather(name, Form.TUPLES, raw)

        return call

    def _columns(self, name: str, one_by_one: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any, **kwargs: Any) -> None:
            if kwargs or len(args) != 1 or not self._gather_columns(name, args[0]):
                one_by_one(*args, **kwargs)

        return call

    def _gather(self, endpoint: str, form: str, item: Any) -> None:
        chunk = self._open
        if chunk is None or chunk.endpoint != endpoint or not chunk.add(form, item):
            self.flush()
            chunk = ItemChunk(endpoint, form)
            chunk.add(form, item)
            self._begin(chunk)
        self._flush_full(chunk)

    def _gather_columns(self, endpoint: str, item: Any) -> bool:
        """Take in an item that has a schema; False when it has none."""
        chunk = self._open
        if chunk is None or chunk.endpoint != endpoint or not chunk.add(Form.COLUMNS, item):
            try:
                new = ColumnChunk(endpoint, item, self._chunk_items, self._chunk_bytes)
            except SchemaError:
                return False
            if not new.add(Form.COLUMNS, item):
                return False
            self.flush()
            self._begin(new)
            chunk = new
        self._flush_full(chunk)
        return True

    def _begin(self, chunk: Chunk) -> None:
        self._open = chunk
        self._begun_s = self._clock()

    def _flush_full(self, chunk: Chunk) -> None:
        if chunk.count >= self._chunk_items or chunk.bytes >= self._chunk_bytes:
            self.flush()
