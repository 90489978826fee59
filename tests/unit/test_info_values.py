"""What a Trainer shows of itself becomes a bounded number of time series."""

import logging

import numpy as np

from services.learner.info_values import NAMES_MAX, InfoValues


def test_numbers_are_shown_and_nothing_else():
    info = InfoValues()
    info.update({"loss": np.float32(0.5), "size": np.int64(3), "flag": True, "text": "abc", "none": None, 7: 1.5})
    assert info.values == {"loss": 0.5, "size": 3.0, "flag": 1.0, "7": 1.5}


def test_what_is_no_longer_there_is_no_longer_shown():
    info = InfoValues()
    info.update({"loss": 1.0, "lr": 0.1})
    info.update({"loss": 2.0})
    assert info.values == {"loss": 2.0}


def test_names_that_change_are_cut_off_and_it_is_said_once(caplog):
    info = InfoValues()
    with caplog.at_level(logging.WARNING, logger="srl"):
        for number in range(3 * NAMES_MAX):
            info.update({"loss": float(number), f"made up {number}": 1.0})
    assert info.values == {"loss": 3.0 * NAMES_MAX - 1}
    assert len(info._names) == NAMES_MAX
    assert ["more than 32 names" in record.message for record in caplog.records] == [True]
