"""Info: a dict of values to show, and its text."""

from __future__ import annotations

from srl.base.info import Info


def test_it_is_a_dict() -> None:
    info = Info()
    info["loss"] = 0.5
    info.set_scalar("size", 3, "int")
    info.set_scalar("rate", 0.1)
    info.update({"a": 1})
    info.set_dict({"b": "text"})
    del info["rate"]
    assert info == {"loss": 0.5, "size": 3, "a": 1, "b": "text"}
    assert info["loss"] == info.get("loss") == 0.5
    assert info.get("absent", 7) == 7
    assert next(iter(info.items())) == ("loss", 0.5)
    assert str(info) == "{'loss': 0.5, 'size': 3, 'a': 1, 'b': 'text'}"


def test_a_copy_is_an_info_of_its_own() -> None:
    info = Info(a=1)
    other = info.copy()
    other["a"] = 2
    assert (info["a"], type(other), type(info.to_dict())) == (1, Info, dict)


def test_its_text() -> None:
    info = Info(small=1.23456, edge=10.0, large=-123.456, count=7, name="x")
    assert info.to_str() == "|small 1.235|edge 10.0|large -123.5|count  7|name x"
