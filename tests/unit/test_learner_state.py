"""What a snapshot of the learner holds, and what is no snapshot of one."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import ledger

from services import snapshot as snapshots
from services.snapshot import LearnerState
from srl.base.context import RunContext
from srl.base.rl.memory import DummyRLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.trainer import RLTrainer
from srl_common import codec
from srl_common.errors import CorruptError, DecodeError, EncodeError
from srl_common.snapshots import Snapshot


class ForActors(RLParameter):
    """Makes a smaller backup for actors."""

    def call_backup(self, to_worker=False, **kwargs):
        return "a part" if to_worker else "all of it"

    def call_restore(self, data, **kwargs): ...


def test_a_learner_resumes_from_what_was_taken():
    parameter = ledger.Parameter(ledger.Config())
    parameter.books.enter("a", 0)
    snapshot = snapshots.take(parameter, 3, 7, {"sample": 9}, 1.5)
    state = snapshots.learner_state(snapshot)
    assert state == LearnerState(parameter.backup(serialized=True), 7, {"sample": 9}, 1.5)
    assert (snapshot.version, snapshot.worker_data) == ((3, 7), None)


class Adam(RLTrainer):
    """Has some state."""

    def train(self): ...

    def call_backup(self, **kwargs):
        return {"step": 5}


def a_trainer(cls, parameter):
    trainer = cls(parameter.config, parameter, DummyRLMemory())
    trainer.setup(RunContext())
    return trainer


def test_it_resumes_with_the_state_of_the_trainer_which_actors_do_not_get():
    parameter = ledger.Parameter(ledger.Config())
    snapshot = snapshots.take(parameter, 1, 0, {}, 0.0, a_trainer(Adam, parameter))
    assert snapshots.learner_state(snapshot).trainer == {"step": 5}
    assert codec.unpack(snapshot.worker_data) == {"parameter": parameter.backup()}


def test_actors_get_their_part_also_beside_the_state_of_a_trainer():
    parameter = ForActors(None)
    snapshot = snapshots.take(parameter, 1, 0, {}, 0.0, a_trainer(Adam, parameter))
    assert snapshots.learner_state(snapshot).parameter == "all of it"
    assert snapshots.worker_parameter(snapshot.for_worker()) == "a part"


def test_a_state_that_cannot_travel_names_the_function():
    class Bad(Adam):
        def call_backup(self, **kwargs):
            return {1, 2}

    parameter = ForActors(None)
    with pytest.raises(EncodeError, match="Bad.call_backup returned a value that cannot travel: cannot encode set"):
        snapshots.take(parameter, 1, 0, {}, 0.0, a_trainer(Bad, parameter))


def test_a_snapshot_is_not_changed_by_later_training():
    parameter = ledger.Parameter(ledger.Config())
    snapshot = snapshots.take(parameter, 1, 0, {}, 0.0)
    parameter.books.enter("a", 0)
    assert '"items": 0' in snapshots.learner_state(snapshot).parameter


def test_actors_get_the_part_that_the_author_makes_for_them():
    snapshot = snapshots.take(ForActors(None), 1, 0, {}, 0.0)
    assert snapshots.learner_state(snapshot).parameter == "all of it"
    assert snapshots.worker_parameter(snapshot.for_worker()) == "a part"


def test_a_backup_that_cannot_travel_names_the_function():
    class Bad(ForActors):
        def call_backup(self, **kwargs):
            return {1, 2}

    with pytest.raises(EncodeError, match="Bad.call_backup returned a value that cannot travel: cannot encode set"):
        snapshots.take(Bad(None), 1, 0, {}, 0.0)


@pytest.mark.parametrize("data", [[1, 2, 3], {"position": {}}, None])
@pytest.mark.parametrize("read", [snapshots.learner_state, snapshots.worker_parameter])
def test_what_somebody_else_stored_is_refused(read, data):
    with pytest.raises(CorruptError, match=r"snapshot \(1, 2\) is not a learner's: set SRL_STORE_JOB to a name of"):
        read(Snapshot.make(1, 2, codec.pack(data)))


@pytest.mark.parametrize("read", [snapshots.learner_state, snapshots.worker_parameter])
def test_bytes_that_are_no_value_are_refused(read):
    with pytest.raises(DecodeError):
        read(Snapshot.make(1, 2, b"\xff" * 30))
