"""docs/spaces.md: its blocks run, and its tables are those of the code."""

import re

import numpy as np
import pytest
from markdown import ROOT, blocks

from srl.base.spaces import (
    ArrayContinuousSpace,
    ArrayDiscreteSpace,
    BoxSpace,
    ContinuousSpace,
    DiscreteSpace,
    MultiSpace,
    NpArraySpace,
    TextSpace,
)

PAGE = ROOT / "docs" / "spaces.md"
SPACES = {
    "Discrete": DiscreteSpace(2),
    "ArrayDiscrete": ArrayDiscreteSpace(1, 0, 1),
    "Continuous": ContinuousSpace(),
    "ArrayContinuous": ArrayContinuousSpace(1),
    "NpArray of whole numbers": NpArraySpace(1, 0, 1, np.int64),
    "NpArray of fractions": NpArraySpace(1),
    "Box of whole numbers": BoxSpace((1,), 0, 1, np.int64),
    "Box of fractions, pictures": BoxSpace((1,)),
    "Text": TextSpace(3),
    "Multi": MultiSpace([DiscreteSpace(2)]),
}


def test_its_blocks_run():
    namespace = {}
    for block in blocks(PAGE, "python"):
        exec(compile(block, str(PAGE), "exec"), namespace)


@pytest.mark.parametrize("kind", SPACES)
def test_the_order_of_conversions_is_that_of_the_code(kind):
    text = PAGE.read_text(encoding="utf-8").partition("can become, cheapest first")[2]
    row = re.search(rf"^\| {re.escape(kind)} \| (.*?)(;.*)? \|$", text, re.MULTILINE)
    assert row is not None
    assert re.findall(r"`([A-Z_]+)`", row[1]) == [t.name for t in SPACES[kind].get_encode_list()]
