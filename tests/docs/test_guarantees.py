"""docs/guarantees.md promises nothing without a test: each one that it names is there."""

import ast
import re

import pytest
from markdown import ROOT

TEXT = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_named_test_exists(file, name):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names |= {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert name in names


def test_every_promise_names_a_test():
    promised, _, _ = TEXT.partition("## Not promised")
    paragraphs = promised.split("\n**")[1:]
    assert len(paragraphs) > 10
    for paragraph in paragraphs:
        assert re.search(r"`tests/[\w/]+\.py::\w+`", paragraph), paragraph
