"""What makes a loop a service: pages, the wish to stop, and how failures end."""

import socket
import struct
import threading
import urllib.error
import urllib.request

import pytest

from srl_common.errors import EXIT_AUTHOR, EXIT_INTERNAL, EXIT_OK, EXIT_USER, AuthorError, SettingError
from srl_common.messages import PROTOCOL
from srl_common.metrics import Definition
from srl_common.service import Health, Stop, run, start_pages
from srl_common.settings import ServiceSettings


@pytest.fixture
def health():
    return Health()


@pytest.fixture
def pages(health):
    definitions = [
        Definition("srl_things_total", "counter", "Things."),
        Definition("srl_length", "gauge", "Length.", "endpoint"),
        Definition("srl_absent", "gauge", "Not counted yet."),
    ]
    pages = start_pages(
        ServiceSettings(metrics_bind="127.0.0.1:0", name="actor-x", store_job="job-7"),
        health,
        definitions,
        lambda: {"srl_things_total": 3, "srl_length": {"add": 5}},
    )
    yield pages
    pages.close()


def get(pages, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{pages.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_metrics_are_read_at_scrape_time(pages):
    status, text = get(pages, "/metrics")
    assert status == 200
    assert 'srl_things_total{srl_job="job-7"} 3.0' in text
    assert 'srl_length{endpoint="add",srl_job="job-7"} 5.0' in text
    assert "process_resident_memory_bytes" in text
    assert "srl_absent" not in text


def test_every_service_says_what_it_is_and_whether_it_works(pages, health):
    health.ready = True
    _, text = get(pages, "/metrics")
    (build,) = (line for line in text.splitlines() if line.startswith("srl_build_info{"))
    assert f'protocol="{PROTOCOL}"' in build
    assert 'name="actor-x"' in build
    assert 'srl_ready{srl_job="job-7"} 1.0' in text
    assert "srl_loop_age_seconds{" in text


def test_without_a_job_there_is_no_label_of_it(health):
    pages = start_pages(ServiceSettings(metrics_bind="127.0.0.1:0", store_job=""), health, [], dict)
    _, text = get(pages, "/metrics")
    pages.close()
    assert "srl_ready 0.0" in text
    assert "srl_job" not in text


def test_ready_says_what_the_service_says(pages, health):
    assert get(pages, "/readyz")[0] == 503
    health.ready = True
    assert get(pages, "/readyz") == (200, "ready\n")


def test_healthy_as_long_as_the_loop_turns(pages, health, monkeypatch):
    assert get(pages, "/healthz")[0] == 200
    monkeypatch.setattr("srl_common.service.STALLED_AFTER_S", 0.0)
    assert get(pages, "/healthz")[0] == 503


def test_an_unknown_page_is_404(pages):
    assert get(pages, "/secrets")[0] == 404


def test_pages_can_be_off(health):
    assert start_pages(ServiceSettings(metrics_bind="off"), health, [], dict) is None


def test_a_port_in_use_is_a_clear_error(pages, health):
    with pytest.raises(SettingError, match=f"SRL_METRICS_BIND: cannot serve on 127.0.0.1:{pages.port}"):
        start_pages(ServiceSettings(metrics_bind=f"127.0.0.1:{pages.port}"), health, [], dict)


def test_stop_is_overdue_only_after_the_time_to_drain():
    patient, hasty = Stop(60.0), Stop(-1.0)
    assert not patient.asked
    assert not hasty.overdue
    for stop in (patient, hasty):
        stop.ask()
        assert stop.asked
    assert not patient.overdue
    assert hasty.overdue


@pytest.mark.parametrize(
    ("error", "exit_code", "says"),
    [
        (SettingError("SRL_X is no setting"), EXIT_USER, "SettingError: SRL_X is no setting"),
        (
            AuthorError("actor-0", "Worker.policy", "Traceback ..."),
            EXIT_AUTHOR,
            "Worker.policy failed in the actor-0",
        ),
        (ZeroDivisionError("1/0"), EXIT_INTERNAL, "internal error in me; please report it:"),
    ],
)
def test_every_failure_ends_in_one_report(tmp_path, capfd, monkeypatch, error, exit_code, says):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    report = tmp_path / "report"

    def fail(_stop):
        raise error

    assert run(ServiceSettings(name="me", report_file=str(report)), fail) == exit_code
    assert says in report.read_text()
    err = capfd.readouterr().err
    assert says in err
    assert ("Traceback (most recent call last)" in err) is (exit_code == EXIT_INTERNAL)


def test_a_service_that_returns_is_fine(monkeypatch):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert run(ServiceSettings(name="me"), lambda _stop: None) == EXIT_OK


def test_who_asks_and_goes_leaves_no_traceback(health, capfd):
    asked, gone = threading.Event(), threading.Event()

    def read():
        asked.set()
        gone.wait(10)
        return {}

    pages = start_pages(ServiceSettings(metrics_bind="127.0.0.1:0"), health, [], read)
    connection = socket.create_connection(("127.0.0.1", pages.port))
    connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
    assert asked.wait(10)
    (answering,) = [each for each in threading.enumerate() if "process_request" in each.name]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close at once, by a reset
    connection.close()
    gone.set()
    answering.join(10)
    pages.close()
    assert "Traceback" not in capfd.readouterr().err
