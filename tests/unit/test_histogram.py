"""The histogram of our own: the same buckets as those of the library it is shown by."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as LibraryHistogram
from prometheus_client.parser import text_string_to_metric_families

from srl_common.histogram import BYTES, ITEMS, REWARDS, SECONDS, Histogram
from srl_common.metrics import Definition, exposition, make_registry


@pytest.mark.parametrize("bounds", [BYTES, ITEMS, REWARDS, SECONDS])
def test_bounds_ascend_and_are_written_shortly(bounds):
    assert list(bounds) == sorted(set(bounds))
    assert all(len(repr(bound)) <= 10 for bound in bounds), bounds


def test_bounds_of_rewards_are_symmetric():
    assert [-bound for bound in reversed(REWARDS)] == list(REWARDS)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32)))
def test_values_are_counted_as_the_library_counts_them(values):
    ours = Histogram(REWARDS)
    theirs = LibraryHistogram("theirs", "Values.", buckets=REWARDS, registry=CollectorRegistry())
    for value in values:
        ours.observe(value)
        theirs.observe(value)
    (family,) = theirs.collect()
    buckets = [sample.value for sample in family.samples if sample.name == "theirs_bucket"]
    assert ours.cumulative() == buckets
    assert ours.count == len(values)
    assert ours.sum == pytest.approx(math.fsum(values), rel=1e-6, abs=1e-6)


def shown(histogram):
    """Return the samples of a histogram as a page shows them, by name and bound."""
    registry = make_registry([Definition("h", "histogram", "H.")], lambda: {"h": histogram})
    families = text_string_to_metric_families(exposition(registry).decode())
    (family,) = (each for each in families if each.name == "h")
    return {(sample.name, sample.labels.get("le")): sample.value for sample in family.samples}


def test_a_page_shows_buckets_count_and_sum():
    histogram = Histogram([1.0, 10.0])
    for value in (0.5, 1.0, 7.0, 100.0):
        histogram.observe(value)
    assert shown(histogram) == {
        ("h_bucket", "1.0"): 2,
        ("h_bucket", "10.0"): 3,
        ("h_bucket", "+Inf"): 4,
        ("h_count", None): 4,
        ("h_sum", None): 108.5,
    }


def test_with_negative_bounds_no_sum_is_shown_that_could_fall():
    histogram = Histogram([-1.0, 1.0])
    histogram.observe(-5.0)
    assert shown(histogram) == {("h_bucket", "-1.0"): 1, ("h_bucket", "1.0"): 1, ("h_bucket", "+Inf"): 1}
