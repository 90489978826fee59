"""What `import srl` offers is imported when it is first asked for."""

import ast
from pathlib import Path

import pytest

import srl


def test_every_name_can_be_had():
    assert [name for name in srl.__all__ if not hasattr(srl, name)] == []
    assert set(srl.__all__) <= set(dir(srl))
    assert srl.base.define.RLBaseTypes.BOX


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'srl' has no attribute 'Runer'"):
        srl.Runer  # noqa: B018


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(srl.__file__).read_text())
    seen = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("srl")
        for alias in node.names
    }
    assert seen == srl._HOMES
    assert set(seen) == set(srl.__all__) - {"__version__"}
