"""Helpers of user programs: values in files, classes by name, optional packages."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from srl.base.spaces import BoxSpace
from srl.utils.common import load_file, load_module, save_file
from srl.utils.optional_package import import_optional
from srl.utils.usage import UsageError


@pytest.mark.parametrize("compress", [True, False])
def test_a_value_in_a_file(tmp_path: Any, compress: bool) -> None:
    path, value = tmp_path / "new" / "value", {"a": np.arange(3), "b": (1, None)}
    save_file(path, value, compress=compress)
    loaded = load_file(path)
    assert np.array_equal(loaded["a"], value["a"])
    assert loaded["b"] == (1, None)


def test_a_class_by_its_entry_point() -> None:
    assert load_module("srl.base.spaces.box:BoxSpace") is BoxSpace
    with pytest.raises(UsageError, match="has no 'Boxes'"):
        load_module("srl.base.spaces.box:Boxes")


def test_a_package_that_is_missing_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    assert import_optional("json", "this", "none") is sys.modules["json"]
    for module in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=r"drawing needs matplotlib: pip install 'srl-cluster\[plot\]'"):
        import_optional("matplotlib.pyplot", "drawing", "plot")
