"""A service whose store is away waits for it; what waiting does not mend ends the wait."""

import logging
import urllib.error
import urllib.request

import pytest

from services import store_wait
from services.store_wait import when_there
from srl_common.errors import AccessError, StorageError
from srl_common.service import Stop
from srl_common.settings import LearnerSettings

SETTINGS = LearnerSettings(name="learner", metrics_bind="127.0.0.1:0")


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(store_wait, "RETRY_AFTER_S", 0.001)
    monkeypatch.setattr(store_wait, "RETRY_AFTER_MAX_S", 0.002)


class Calls:
    """Does one after the other of what it is told: raises an error, or returns a value."""

    def __init__(self, *outcomes):
        self._outcomes = list(outcomes)
        self.count = 0

    def __call__(self):
        self.count += 1
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_what_works_at_once_is_not_waited_for(caplog):
    assert when_there(SETTINGS, Stop(1.0), Calls("found")) == "found"
    assert caplog.text == ""


def test_it_is_tried_again_and_said_once(caplog):
    caplog.set_level(logging.INFO)
    calls = Calls(*[StorageError("away")] * 5, "found")
    assert when_there(SETTINGS, Stop(1.0), calls) == "found"
    assert calls.count == 6
    assert caplog.text.count("waiting for the snapshot store: away") == 1
    assert "what was waited for is there" in caplog.text


@pytest.mark.parametrize("before", [0, 2])
def test_a_refusal_is_not_waited_for(before):
    calls = Calls(*[StorageError("away")] * before, AccessError("WRONGPASS"), "found")
    with pytest.raises(AccessError, match="WRONGPASS"):
        when_there(SETTINGS, Stop(1.0), calls)
    assert calls.count == before + 1


def test_who_is_asked_to_end_does_not_wait():
    stop = Stop(1.0)

    def ask_in_the_end():
        if calls.count == 2:
            stop.ask()
        return calls()

    calls = Calls(*[StorageError("away")] * 10)
    assert when_there(SETTINGS, stop, ask_in_the_end) is None
    assert calls.count == 3


def test_while_it_waits_it_is_alive_and_not_ready(caplog):
    caplog.set_level(logging.INFO)
    pages = {}

    def look_at_pages():
        if calls.count == 1:
            (message,) = [each for each in caplog.messages if each.startswith("metrics on ")]
            address = message.removeprefix("metrics on ").removesuffix("/metrics")
            for page in ("healthz", "readyz", "metrics"):
                try:
                    with urllib.request.urlopen(f"{address}/{page}", timeout=10) as answer:
                        pages[page] = answer.status
                except urllib.error.HTTPError as error:
                    with error:
                        pages[page] = error.code
        return calls()

    calls = Calls(StorageError("away"), "found")
    assert when_there(SETTINGS, Stop(1.0), look_at_pages) == "found"
    assert pages == {"healthz": 200, "readyz": 503, "metrics": 200}
