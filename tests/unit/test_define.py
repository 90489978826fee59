"""The words that environments and algorithms share."""

from __future__ import annotations

import enum
import typing

import pytest

from srl.base import define, exception
from srl.base.define import DoneTypes, RLBaseTypes, SpaceTypes


def test_base_types_are_flags() -> None:
    assert issubclass(RLBaseTypes, enum.Flag)
    either = RLBaseTypes.DISCRETE | RLBaseTypes.BOX
    assert RLBaseTypes.BOX in either
    assert RLBaseTypes.to_list(either) == [RLBaseTypes.DISCRETE, RLBaseTypes.BOX]
    assert RLBaseTypes.to_list(RLBaseTypes.NONE) == []
    assert set(RLBaseTypes.__members__) == {
        "NONE", "DISCRETE", "ARRAY_DISCRETE", "CONTINUOUS", "ARRAY_CONTINUOUS", "NP_ARRAY", "BOX", "TEXT", "MULTI",
    }  # fmt: skip


def test_a_base_type_by_its_name() -> None:
    assert RLBaseTypes.from_str("np_array") == RLBaseTypes.from_str("NP_ARRAY") == RLBaseTypes.NP_ARRAY
    assert RLBaseTypes.from_str(RLBaseTypes.BOX) == RLBaseTypes.BOX
    with pytest.raises(ValueError, match="'boxes' is not one of NONE, DISCRETE, .*MULTI"):
        RLBaseTypes.from_str("boxes")


def test_space_types() -> None:
    assert set(SpaceTypes.__members__) == {
        "UNKNOWN", "DISCRETE", "CONTINUOUS", "GRAY_HW", "GRAY_HW1", "RGB", "IMAGE_MAP", "FEATURE_MAP", "TEXT", "MULTI",
    }  # fmt: skip
    assert {s for s in SpaceTypes if SpaceTypes.is_image(s)} == {
        SpaceTypes.GRAY_HW,
        SpaceTypes.GRAY_HW1,
        SpaceTypes.RGB,
    }


def test_done_types() -> None:
    assert set(DoneTypes.__members__) == {"RESET", "NONE", "TERMINATED", "TRUNCATED", "ABORT"}
    assert DoneTypes.from_val(True) == DoneTypes.from_val("terminated") == DoneTypes.TERMINATED
    assert DoneTypes.from_val(False) == DoneTypes.NONE
    assert DoneTypes.from_val(DoneTypes.ABORT) == DoneTypes.ABORT
    with pytest.raises(ValueError, match="'over' is not one of NONE, RESET"):
        DoneTypes.from_val("over")


def test_names_of_types() -> None:
    assert typing.get_args(define.RenderModeType) == ("", "terminal", "rgb_array", "window")
    for name in ("EnvAction", "EnvObservation", "RLAction", "RLObservation", "KeyBind", "Player", "Players", "Space"):
        assert hasattr(define, f"{name}Type")


@pytest.mark.parametrize("name", ["UndefinedError", "NotSupportedError", "TFLayerError", "DistributionError"])
def test_every_error_of_the_library_is_an_srl_error(name: str) -> None:
    assert issubclass(getattr(exception, name), exception.SRLError)
