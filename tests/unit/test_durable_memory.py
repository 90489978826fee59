"""The Memory made durable: exactly-once inserts, numbered batches, and recovery from the journal."""

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import custom_memory
import ledger

from services.hosting.durable_memory import DurableMemory, Room
from services.hosting.endpoints import blobs_body
from srl_common import messages
from srl_common.delivery import Verdict
from srl_common.errors import DecodeError, EncodeError, PeerError, StorageError, UserError
from srl_common.journal import Journal
from srl_common.link import new_incarnation
from srl_common.messages import Batch, Call, Form, Role

ACTOR = new_incarnation()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journal"


def opened(folder, *, keeps_batches=True, position=None, job="job", memory=None, room=None):
    """Return a recovered memory; `.author` is the author's object."""
    author = memory or ledger.Memory(ledger.Config())
    journal = Journal(folder) if folder is not None else None
    durable = DurableMemory(author, job, journal, 8, 8, 1 << 20, keeps_batches=keeps_batches, room=room)
    durable.author = author
    durable.recover(position)
    return durable


def insert(durable, seq, items, incarnation=ACTOR, role=Role.ACTOR):
    import pickle

    call = Call(seq, "add", Form.BLOBS, len(items), blobs_body([pickle.dumps(item) for item in items]), (0, 0))
    return durable.insert(role, incarnation, call, messages.encode(call))


def batches(frames):
    return [messages.decode(each) for each in frames]


def test_an_insert_is_applied_once_and_in_order(folder):
    durable = opened(folder)
    assert insert(durable, 1, [["a", 0], ["a", 1]]) is Verdict.APPLY
    assert insert(durable, 1, [["a", 0], ["a", 1]]) is Verdict.DUPLICATE
    assert insert(durable, 3, [["a", 3]]) is Verdict.GAP
    assert durable.author.items == [["a", 0], ["a", 1]]
    assert durable.ack(Role.ACTOR, ACTOR) == (1, 9)
    durable.close()


def test_a_restart_has_all_that_was_inserted_and_still_knows_duplicates(folder):
    first = opened(folder)
    insert(first, 1, [["a", 0]])
    insert(first, 2, [["a", 1]])
    first.close()
    second = opened(folder)
    assert second.author.items == [["a", 0], ["a", 1]]
    assert insert(second, 2, [["a", 1]]) is Verdict.DUPLICATE
    assert second.inserted == {"add": 2}
    second.close()


def test_without_a_journal_a_restart_has_nothing():
    first = opened(None)
    insert(first, 1, [["a", 0]])
    assert opened(None).author.items == []


def test_a_checkpoint_cuts_the_journal_and_loses_nothing(folder):
    first = opened(folder)
    insert(first, 1, [["a", 0]])
    first.make_batch("sample")
    insert(first, 2, [["a", 1]])
    size = first.journal_bytes
    first.checkpoint()
    assert first.journal_bytes < size
    insert(first, 3, [["a", 2]])
    first.close()
    second = opened(folder)
    assert second.author.items == [["a", 1], ["a", 2]]
    assert [b.value for b in batches(second.resume("sample", 0, 0))] == [[["a", 0]]]
    second.close()


def test_batches_are_made_again_after_a_restart_until_a_snapshot_contains_them(folder):
    first = opened(folder)
    for seq in range(1, 4):
        insert(first, seq, [["a", seq]])
        assert first.make_batch("sample") is not None
    first.close()
    second = opened(folder)
    again = batches(second.resume("sample", released=1, received=1))
    assert again == [Batch("sample", 2, [["a", 2]]), Batch("sample", 3, [["a", 3]])]
    assert second.author.items == []
    second.close()


def test_a_learner_that_has_received_a_batch_does_not_get_it_again(folder):
    durable = opened(folder)
    insert(durable, 1, [["a", 1]])
    durable.make_batch("sample")
    assert durable.resume("sample", released=0, received=1) == []
    assert len(durable.resume("sample", released=0, received=0)) == 1
    durable.close()


def test_a_function_that_does_not_consume_keeps_nothing():
    author = custom_memory.Memory(custom_memory.Config())
    durable = opened(None, memory=author)
    assert durable.make_batch("overview") is not None
    assert durable.resume("overview", released=0, received=0) == []
    assert durable.streams["overview"].made == 0


def test_a_hosting_learner_gets_back_what_its_snapshot_does_not_contain(folder):
    first = opened(folder, keeps_batches=False, position={})
    for seq in range(1, 4):
        insert(first, seq, [["a", seq]])
        assert first.sample("sample") == [["a", seq]]
    position = {"sample": 1}
    first.close()
    second = opened(folder, keeps_batches=False, position=position)
    assert second.author.items == [["a", 2], ["a", 3]]
    assert second.position()["sample"] == 1
    second.close()


def test_numbers_of_an_undone_life_are_not_confused_with_those_of_the_next(folder):
    first = opened(folder, keeps_batches=False, position={})
    insert(first, 1, [["a", 1]])
    first.sample("sample")
    first.close()
    second = opened(folder, keeps_batches=False, position={})  # its batch 1 is undone
    insert(second, 2, [["a", 2]])
    assert second.sample("sample") == [["a", 1], ["a", 2]]
    position = second.position()
    insert(second, 3, [["a", 3]])
    second.close()
    third = opened(folder, keeps_batches=False, position=position)
    assert third.author.items == [["a", 3]]
    third.close()


def test_updates_of_a_hosting_learner_are_replayed_up_to_its_snapshot(folder):
    def memory():
        return custom_memory.Memory(custom_memory.Config())

    first = opened(folder, keeps_batches=False, position={}, memory=memory())
    first.update("forget", (1,), {})
    position = first.position()
    first.update("forget", (), {"what": "x"})
    first.close()
    second = opened(folder, keeps_batches=False, position=position, memory=memory())
    assert second.author.notes == {"forget int"}
    second.close()


def test_a_journal_of_another_job_is_refused(folder):
    opened(folder).close()
    with pytest.raises(UserError, match="belongs to another job .*set SRL_JOURNAL_DIR"):
        opened(folder, job="another")


def test_a_full_disk_changes_nothing_and_loses_nothing(folder, monkeypatch):
    durable = opened(folder)
    insert(durable, 1, [["a", 1]])

    def fail(_frames):
        raise StorageError("no space left")

    with monkeypatch.context() as full:
        full.setattr(Journal, "append", lambda _self, frames: fail(frames))
        with pytest.raises(StorageError):
            insert(durable, 2, [["a", 2]])
        with pytest.raises(StorageError):
            durable.make_batch("sample")
    assert durable.ack(Role.ACTOR, ACTOR)[0] == 1
    assert insert(durable, 2, [["a", 2]]) is Verdict.APPLY
    assert [messages.decode(durable.make_batch("sample")).value for _ in range(2)] == [[["a", 1]], [["a", 2]]]
    durable.close()


@pytest.mark.parametrize(
    ("form", "count", "body"),
    [
        (Form.BLOBS, 1, [b"no", b"lengths"]),
        (Form.BLOBS, 2, blobs_body([b"one"])),
        (Form.BLOBS, 1, [blobs_body([b"one"])[0], b"another length"]),
        (Form.TUPLES, 1, [["no tuple"]]),
        (Form.TUPLES, 2, [("one",)]),
        (Form.CALLS, 1, [((), {}, "three")]),
        (Form.CALLS, 1, [((), {1: "no name"})]),
        ("colums", 1, []),
    ],
)
def test_a_malformed_chunk_is_refused_before_it_is_written(folder, form, count, body):
    durable = opened(folder)
    records = durable.journal_records
    call = Call(1, "add", form, count, body, (0, 0))
    with pytest.raises(DecodeError):
        durable.insert(Role.ACTOR, ACTOR, call, messages.encode(call))
    assert durable.journal_records == records
    assert durable.ack(Role.ACTOR, ACTOR)[0] == 0
    durable.close()


@pytest.mark.parametrize(
    ("role", "endpoint"), [(Role.ACTOR, "sample"), (Role.ACTOR, "__init__"), (Role.LEARNER, "add")]
)
def test_what_is_not_registered_cannot_be_called(folder, role, endpoint):
    durable = opened(folder)
    call = Call(1, endpoint, Form.CALLS, 1, [((), {})], (0, 0))
    with pytest.raises(PeerError, match=f"'{endpoint}' is not registered: call self.register_.* in Memory.setup"):
        durable.insert(role, ACTOR, call, messages.encode(call))
    durable.close()


def test_a_batch_that_cannot_travel_names_the_function_and_the_place():
    author = ledger.Memory(ledger.Config())
    author.add(["a", {1, 2}])
    with pytest.raises(EncodeError, match=r"Memory.sample returned a value that cannot travel: .*set at .*\[0\]\[1\]"):
        opened(None, memory=author).make_batch("sample")


def test_a_backup_that_cannot_travel_names_the_function(folder):
    durable = opened(folder)
    durable.author.items.append(object())
    with pytest.raises(EncodeError, match=r"Memory.call_backup returned a value that cannot travel: .*object"):
        durable.checkpoint()
    durable.close()


def test_a_memory_without_backup_keeps_its_journal(folder, caplog):
    class NoBackup(ledger.Memory):
        def call_backup(self, **kwargs):
            raise NotImplementedError

    durable = opened(folder, memory=NoBackup(ledger.Config()))
    insert(durable, 1, [["a", 1]])
    size = durable.journal_bytes
    durable.checkpoint()
    assert durable.journal_bytes == size
    assert "NoBackup has no call_backup" in caplog.text
    durable.close()


def test_random_consuming_samples_are_the_same_after_a_restart(folder):
    import random

    class Bag(ledger.Memory):
        def sample(self):
            random.shuffle(self.items)
            return [self.items.pop()] if self.items else None

    first = opened(folder, memory=Bag(ledger.Config()))
    insert(first, 1, [["a", number] for number in range(50)])
    made = [messages.decode(first.make_batch("sample")).value for _ in range(20)]
    first.close()
    second = opened(folder, memory=Bag(ledger.Config()))
    again = [batch.value for batch in batches(second.resume("sample", 0, 0))]
    assert again == made
    left = [item for batch in made for item in batch] + second.author.items
    assert Counter(number for _, number in left) == Counter(range(50))
    second.close()


@pytest.mark.parametrize("room", [Room(3, 1 << 40, 1 << 40), Room(1 << 40, 100, 1 << 40)], ids=["items", "bytes"])
def test_without_room_actors_get_no_credit_until_the_learner_has_taken_some(room):
    durable = opened(None, room=room)
    limit = durable.ack(Role.ACTOR, ACTOR)[1]
    for seq in range(1, 5):
        insert(durable, seq, [["a", seq]])
    assert not durable.has_room
    assert durable.ack(Role.ACTOR, ACTOR) == (4, limit)
    assert durable.sample("sample") is not None
    assert durable.has_room
    assert durable.ack(Role.ACTOR, ACTOR) == (4, 12)


def test_actors_wait_while_the_memory_itself_has_no_room():
    class Small(ledger.Memory):
        def has_room(self):
            return self.length() < 2

    durable = opened(None, memory=Small(ledger.Config()))
    limit = durable.ack(Role.ACTOR, ACTOR)[1]
    insert(durable, 1, [["a", 1], ["a", 2]])
    assert durable.ack(Role.ACTOR, ACTOR) == (1, limit)
    assert durable.sample("sample") is not None
    assert durable.ack(Role.ACTOR, ACTOR)[1] > limit


def test_a_memory_that_nothing_consumes_from_bounds_itself():
    class Replay(ledger.Memory):
        def setup(self):
            self.items = []
            self.register_worker_func(self.add, lambda item: item)
            self.register_trainer_recv_func(self.sample, consumes=False)

    durable = opened(None, memory=Replay(ledger.Config()), room=Room(1, 1, 1))
    insert(durable, 1, [["a", 1], ["a", 2]])
    assert durable.has_room


def test_batches_that_wait_for_a_snapshot_are_bounded():
    durable = opened(None, room=Room(1 << 40, 1 << 40, 1))
    insert(durable, 1, [["a", 1]])
    assert durable.may_make_batches
    durable.make_batch("sample")
    assert not durable.may_make_batches
    durable.release("sample", 1)
    assert durable.may_make_batches


def test_a_checkpoint_that_the_disk_refuses_is_tried_again_later(folder, monkeypatch, caplog):
    durable = opened(folder)
    durable._checkpoint_bytes = durable._checkpoint_at_bytes = 200
    for seq in range(1, 5):
        insert(durable, seq, [["a", seq]])
    assert durable.checkpoint_due

    def refuse(_self, _frames):
        raise StorageError("no space left")

    with monkeypatch.context() as full:
        full.setattr(Journal, "checkpoint", refuse)
        durable.checkpoint_if_due()
    assert "the journal goes on without a checkpoint: no space left" in caplog.text
    assert not durable.checkpoint_due
    for seq in range(5, 9):
        insert(durable, seq, [["a", seq]])
    durable.checkpoint_if_due()
    assert durable.checkpoints == 2  # the first one began the journal
    assert len(durable.author.items) == 8
    durable.close()


def test_a_learner_whose_snapshots_are_older_than_the_journal_is_refused(folder):
    durable = opened(folder)
    insert(durable, 1, [["a", 1]])
    durable.make_batch("sample")
    durable.release("sample", 1)
    with pytest.raises(PeerError, match="has 0 batches of sample, but those up to 1 were released: .*SRL_JOURNAL_DIR"):
        durable.resume("sample", released=0, received=0)
    durable.close()


# --- what is known


def test_an_items_size_is_that_of_inserts_alone_also_after_a_restart(folder):
    with_update = opened(folder, memory=custom_memory.Memory(custom_memory.Config()))
    call = Call(1, "remark", Form.CALLS, 2, [(("x" * 1000,), {})] * 2, (0, 0))
    assert with_update.item_bytes == 0
    with_update.insert(Role.ACTOR, ACTOR, call, messages.encode(call))
    item_bytes = with_update.item_bytes
    assert 1000 < item_bytes < 1200
    update = Call(1, "forget", Form.CALLS, 1, [((), {})], (0, 0))
    with_update.insert(Role.LEARNER, new_incarnation(), update, messages.encode(update))
    assert with_update.item_bytes == item_bytes
    with_update.close()
    again = opened(folder, memory=custom_memory.Memory(custom_memory.Config()))
    assert again.item_bytes == item_bytes
    again.close()


def test_a_disk_that_does_not_say_how_full_it_is_costs_two_metrics(folder, monkeypatch):
    durable = opened(folder)
    insert(durable, 1, [["a", 0]])
    known = durable.journal_metrics()
    assert known["srl_journal_records_total"] == 1
    monkeypatch.setattr(Journal, "disk_bytes", lambda self: (_ for _ in ()).throw(StorageError("no answer")))
    missing = known.keys() - durable.journal_metrics().keys()
    assert missing == {"srl_journal_disk_free_bytes", "srl_journal_disk_size_bytes"}
    durable.close()
    assert opened(None).journal_metrics() == {}
