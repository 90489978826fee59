"""Whatever a crash tears off or a bit flips: what is read is a prefix of what was written, or an error."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from srl_common.errors import CorruptError
from srl_common.journal import Journal

RECORDS = st.lists(st.lists(st.binary(max_size=40), max_size=3), min_size=1, max_size=5)
SMALL = [[b"first", b""], [b"\0\0\0"], [], [b"last"]]


def write(folder, records):
    """Return the bytes of a journal that holds `records`."""
    with Journal(folder, "never") as journal:
        for record in records:
            journal.append(record)
    return journal_file(folder).read_bytes()


def journal_file(folder):
    return folder / "journal-00000000"


def read(folder, data):
    journal_file(folder).write_bytes(data)
    with Journal(folder, "never") as journal:
        return [[bytes(frame) for frame in record] for record in journal.replay()]


def ends(folder, records):
    """Return the file's size after each record."""
    with Journal(folder / "sizes", "never") as journal:
        sizes = [0]
        for record in records:
            journal.append(record)
            sizes.append(journal.size_bytes)
    return sizes


def test_every_torn_end_gives_exactly_the_whole_records(tmp_path):
    data = write(tmp_path, SMALL)
    sizes = ends(tmp_path, SMALL)
    for cut in range(len(data) + 1):
        whole = sum(size <= cut for size in sizes[1:])
        assert read(tmp_path, data[:cut]) == SMALL[:whole], cut


def test_every_flipped_byte_gives_a_prefix_or_an_error(tmp_path):
    data = write(tmp_path, SMALL)
    sizes = ends(tmp_path, SMALL)
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 0xFF
        before = sum(size <= place for size in sizes[1:])
        try:
            assert read(tmp_path, damaged) == SMALL[:before], place
        except CorruptError:
            continue
        # Silently shorter by no more than the last record: that is what a torn end looks like.
        assert before == len(SMALL) - 1


@given(RECORDS, st.data())
@settings(deadline=None, max_examples=60)
def test_random_damage_never_gives_a_wrong_record(records, data):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content = bytearray(write(folder, records))
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        del content[data.draw(st.integers(0, len(content))) :]
        content += data.draw(st.sampled_from([b"", bytes(7), bytes(100)]))
        try:
            left = read(folder, content)
        except CorruptError:
            return
        assert left == records[: len(left)]


@given(RECORDS, st.data())
@settings(deadline=None, max_examples=30)
def test_a_damaged_checkpoint_is_never_accepted(frames, data):
    state = [b"".join(record) for record in frames]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Journal(folder, "never") as journal:
            journal.checkpoint(state)
        path = folder / "checkpoint-00000001"
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        with Journal(folder, "never") as journal:
            try:
                journal.read_checkpoint()
            except CorruptError:
                return
    raise AssertionError("damage was accepted")
