"""docs/conformance.md: its names are there, and so are the tests that it names; no name of the page is missing."""

import ast
import functools
import importlib
import inspect
import re

import pytest
from markdown import ROOT

import srl
from srl.algorithms import ql

TEXT = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", TEXT, re.MULTILINE)
NAMES = [name for cell, _ in ROWS for name in re.findall(r"`([^`]+)`", cell)]
TESTS = sorted({test for _, cell in ROWS for test in re.findall(r"`(tests/[^`]+)`", cell)})
PAGE = ROOT.parent / "shared" / "spec" / "custom_algorithm.ja.txt"

OF_ITS_EXAMPLES = {
    *("MyConfig", "MyMemory", "MyRemoteMemory", "MyParameter", "MyTrainer", "MyWorker", "Memoryr", "hoo_param"),
    *("bar_param", "main", "test", "base_XX", "buffer", "Q", "get_action_values", "epsilon", "test_epsilon", "gamma"),
    *("lr", "default_factory", "add", "sample", "update", "serialize", "render"),
}
"""Names that the page's examples define themselves, and the two words for `add`, `sample`... of their memories."""


@pytest.fixture(scope="module")
def roots():
    """An object for each word that the table begins a name with."""
    runner = srl.Runner("Grid", ql.Config())
    state = runner.train(max_steps=10, enable_progress=False)
    return {
        "Runner": runner,
        "RLConfig": runner.rl_config,
        "RLMemory": runner.memory,
        "RLParameter": runner.parameter,
        "RLTrainer": runner.trainer,
        "RLWorker": runner.worker.worker,
        "WorkerRun": runner.worker,
        "EnvRun": runner.env,
        "EnvBase": runner.env.unwrapped,
        "EnvConfig": runner.env_config,
        "RunContext": runner.context,
        "RunStateActor": state,
        "DiscreteSpace": runner.rl_config.action_space,
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_there(name, roots):
    path, _, parameters = name.rstrip(")").partition("(")
    found = resolve(path, roots)
    if parameters:
        missing = set(parameters.split(", ")) - parameters_of(found)
        assert not missing, f"{path} has no parameters {missing}"


@functools.cache
def parsed(file):
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("test", TESTS)
def test_the_test_is_there(test):
    file, *names = test.split("::")
    body = parsed(file).body
    for name in names:
        found = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name]
        assert found, test
        body = found[0].body


def test_each_name_has_a_test():
    assert len(ROWS) > 30
    assert [cell for cell, shown_by in ROWS if not re.search(r"`tests/[^`]+::[^`]+`", shown_by)] == []


@pytest.mark.skipif(not PAGE.exists(), reason="the specification is not beside this checkout")
def test_no_name_of_the_page_is_missing():
    text = PAGE.read_text(encoding="utf-8")
    imported = {
        f"{module}.{name}"
        for module, names in re.findall(r"from (srl[\w.]*) import ([\w, ]+)", text)
        for name in re.split(r",\s*", names.strip())
    }
    assert imported - {name.partition("(")[0] for name in NAMES} == set()
    assert words_of_the_page(text) - words_of_the_table() == set()


def words_of_the_page(text):
    """Return what the page defines as hooks, reads from the objects that it is handed, and calls."""
    patterns = (
        r"^def ([a-zA-Z]\w+)\(",
        r"\b(?:self|worker|trainer|parameter|runner|srl|config\.memory|worker\.env)\.([a-zA-Z_]+)",
    )
    found = {name for pattern in patterns for name in re.findall(pattern, text, re.MULTILINE | re.ASCII)}
    return found - OF_ITS_EXAMPLES - {"base", "rl", "test", "env", "config", "memory", "parameter"}


def words_of_the_table():
    return {word for name in NAMES for word in re.findall(r"\w+", name)}


def resolve(path, roots):
    """Return what a dotted path means: below one of the roots, or an importable name."""
    first, *rest = path.split(".")
    if first in roots:
        return static(roots[first], rest, path)
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        return static(module, parts[end:], path)
    pytest.fail(f"{path} leads to no module")


def static(found, names, path):
    """Follow attributes without running properties; fields of a dataclass count although they have no default."""
    for name in names:
        if name in getattr(found, "__dataclass_fields__", ()):
            found = found.__dataclass_fields__[name]
            continue
        try:
            found = getattr(found, name) if inspect.ismodule(found) else inspect.getattr_static(found, name)
        except AttributeError:
            pytest.fail(f"{path}: there is no {name}")
    return found


def parameters_of(found):
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    return set(inspect.signature(found).parameters)


def test_control_a_name_that_is_not_there_fails(roots):
    for path in ("WorkerRun.no_such_name", "srl.no_such_module.Name", "srl.base.define.NoSuchType"):
        with pytest.raises(pytest.fail.Exception):
            resolve(path, roots)
