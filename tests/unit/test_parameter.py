from __future__ import annotations

from typing import Any

import pytest

from srl.base.rl.config import DummyRLConfig
from srl.base.rl.parameter import DummyRLParameter, RLParameter


class WithAll(RLParameter[Any]):
    def setup(self) -> None:
        self.value: Any = 0
        self.seen: dict[str, bool] = {}

    def call_backup(self, **kwargs: Any) -> Any:
        self.seen = kwargs
        return self.value

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.seen = kwargs
        self.value = data


class WithOne(WithAll):
    def call_backup(self, serialized: bool = False) -> Any:  # type: ignore[override]
        self.seen = {"serialized": serialized}
        return self.value

    def call_restore(self, data: Any, from_worker: bool = False) -> None:  # type: ignore[override]
        self.seen = {"from_worker": from_worker}
        self.value = data


class WithNone(WithAll):
    def call_backup(self) -> Any:  # type: ignore[override]
        return self.value

    def call_restore(self, data: Any) -> None:  # type: ignore[override]
        self.value = data


def test_hooks_get_their_flags_as_keywords() -> None:
    parameter = WithAll()
    parameter.backup(serialized=True)
    assert parameter.seen == {"serialized": True, "to_worker": False}
    parameter.restore(1, from_worker=True)
    assert parameter.seen == {"from_serialized": False, "from_worker": True}


def test_hooks_get_only_the_flags_that_they_declare() -> None:
    parameter = WithOne()
    parameter.backup(serialized=True, to_worker=True)
    assert parameter.seen == {"serialized": True}
    parameter.restore(1, from_serialized=True, from_worker=True)
    assert parameter.seen == {"from_worker": True}


@pytest.mark.parametrize("cls", [WithAll, WithOne, WithNone])
def test_backup_and_restore(cls: type[WithAll]) -> None:
    parameter, other = cls(), cls(DummyRLConfig())
    parameter.value = {"w": [1.0]}
    other.restore(parameter.backup(serialized=True, to_worker=True), from_serialized=True)
    assert other.value == {"w": [1.0]}


def test_an_empty_list_is_nothing_to_publish() -> None:
    parameter = WithNone()
    parameter.value = []
    assert parameter.backup() is None
    parameter.value = 5
    parameter.restore(None)
    assert parameter.value == 5


@pytest.mark.parametrize("compress", [False, True])
def test_save_and_load(tmp_path: Any, compress: bool) -> None:
    parameter, other = WithNone(), WithNone()
    parameter.value = {(1, 2): [0.5]}
    parameter.save(tmp_path / "parameter", compress)
    other.load(tmp_path / "parameter")
    assert other.value == {(1, 2): [0.5]}


def test_hooks_must_be_defined() -> None:
    with pytest.raises(TypeError, match="abstract"):
        RLParameter()  # type: ignore[abstract]


def test_dummy_has_nothing() -> None:
    dummy = DummyRLParameter()
    dummy.restore(dummy.backup())
    dummy.summary()
    dummy.update_from_worker_parameter(None)
    assert dummy.backup() is None
