"""The configuration is valid; each alert fires when it should and keeps silent when all is well."""

from __future__ import annotations

import yaml
from prometheus_server import CONFIG, ROOT, promtool

from ops.queries import RULES, rules

LEARNER, ACTOR, MEMORY = ({"instance": f"{kind[0]}:9100", "job": kind} for kind in ("learner", "actor", "memory"))


def series(name: str, labels: dict[str, str], *, of_job: bool = True) -> str:
    """Return a series as promtool writes it."""
    labels = {**labels, "srl_job": "job-7"} if of_job else labels
    pairs = (f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{', '.join(pairs)}}}"


def up(service: dict[str, str]) -> str:
    return series("up", service, of_job=False)


TRAINING = series("srl_training", LEARNER)
TRAIN_COUNT = series("srl_train_count_total", LEARNER)
SILENT = series("srl_memory_services_silent", LEARNER)
WAITING = series("srl_batches_waiting", LEARNER)
TAKEN = series("srl_batches_taken_total", LEARNER)
SNAPSHOT_FAILURES = series("srl_snapshot_failures_total", LEARNER)
PARAMETER_AGE = series("srl_parameter_age_seconds", ACTOR)
SENT = series("srl_chunks_sent_total", ACTOR)
RESENT = series("srl_chunks_resent_total", ACTOR)
LOOP_AGE = series("srl_loop_age_seconds", ACTOR)
STARTED = series("process_start_time_seconds", ACTOR, of_job=False)
HAS_ROOM = series("srl_memory_has_room", MEMORY)
AHEAD = series("srl_samples_ahead_items", MEMORY)
TOLERANCE = series("srl_samples_tolerance_items", MEMORY)
TARGET = series("srl_samples_per_insert_target", MEMORY)
FREE = series("srl_journal_disk_free_bytes", MEMORY)
SIZE = series("srl_journal_disk_size_bytes", MEMORY)
JOURNAL_FAILURES = series("srl_journal_failures_total", MEMORY)
REFUSED = series("srl_refused_total", MEMORY)
STRANGERS = series("srl_strangers_total", MEMORY)
UNDECODABLE = series("srl_undecodable_total", MEMORY)
LENGTH = series("srl_memory_length_items", MEMORY)
HOSTED_LENGTH = series("srl_memory_length_items", LEARNER)

GONE = "_x60"
"""Values are for every 15 s, over 15 minutes: this is none."""

GOOD = {
    up(LEARNER): "1x60", up(ACTOR): "1x60", up(MEMORY): "1x60",
    TRAINING: "1x60", TRAIN_COUNT: "0+100x60", SILENT: "0x60", WAITING: "5x60", TAKEN: "0+100x60",
    SNAPSHOT_FAILURES: "3x60", PARAMETER_AGE: "1x60", SENT: "0+100x60", RESENT: "0+1x60",
    LOOP_AGE: "0.1x60", STARTED: "1000x60",
    HAS_ROOM: "1 0 " * 30, AHEAD: "-90 90 " * 30, TOLERANCE: "100x60", TARGET: "8x60", LENGTH: "1000x60",
    FREE: "5e10-1e6x60", SIZE: "1e11x60", JOURNAL_FAILURES: "2x60", REFUSED: "1x60", STRANGERS: "0+2x60",
    UNDECODABLE: "1x60",
}  # fmt: skip
"""A cluster that works, with what happens now and then: a few resends, strangers after a restart, a full queue."""

FAULTS: dict[str, dict[str, str]] = {
    "SRLNoProgress": {TRAIN_COUNT: "0+100x19 1900x40"},
    "SRLLearnerStarves": {TRAIN_COUNT: "1900x60", WAITING: "0x60", TAKEN: "1900x60"},
    "SRLLoopHangs": {LOOP_AGE: "0+15x60"},
    "SRLActorDown": {series("up", {"instance": "b:9100", "job": "actor"}, of_job=False): "0x60"},
    "SRLNoActors": {up(ACTOR): "1x10 " + GONE},
    "SRLMemoryDown": {up(MEMORY): GONE},
    "SRLShardSilent": {SILENT: "0x10 1x49"},
    "SRLLearnerDown": {up(LEARNER): GONE},
    "SRLRestarts": {STARTED: "1000+30x60"},
    "SRLMemoryBlocked": {HAS_ROOM: "1x10 0x49"},
    "SRLResendsHigh": {RESENT: "0+20x60"},
    "SRLRatioOff": {AHEAD: "-150x60"},
    "SRLSnapshotStale": {PARAMETER_AGE: "0+15x60"},
    "SRLSnapshotsFail": {SNAPSHOT_FAILURES: "0+1x60"},
    "SRLDiskFilling": {FREE: "5e10-2e8x60"},
    "SRLJournalRefused": {JOURNAL_FAILURES: "0+1x60"},
    "SRLRefused": {REFUSED: "0x50 1x9"},
    "SRLStrangers": {STRANGERS: "0+100x60"},
}
"""By alert, what of the good cluster is different, and nothing else fires."""

OTHER_FAULTS: list[tuple[str, dict[str, str]]] = [
    ("SRLNoProgress", {TRAIN_COUNT: "1900x60", WAITING: "0x60"}),  # it takes batches, but never says that it trained
    ("SRLActorDown", {up(ACTOR): "0x60", series("up", {"instance": "b:9100", "job": "actor"}, of_job=False): "1x60"}),
    ("SRLDiskFilling", {FREE: "4e9x60"}),
    ("SRLStrangers", {UNDECODABLE: "0x50 3x9"}),
]

QUIET: list[dict[str, str]] = [
    {},
    # The job is over: nothing moves, and nobody needs to look.
    {TRAINING: "0x60", TRAIN_COUNT: "1900x60", TAKEN: "1900x60", PARAMETER_AGE: "0+15x60", HAS_ROOM: "0x60"},
    # The learner hosts the Memory, and there is no memory service.
    {up(MEMORY): GONE, HOSTED_LENGTH: "1000x60", LENGTH: GONE},
    # The limiter is off.
    {TARGET: "0x60", TOLERANCE: "0x60", AHEAD: "0+100x60"},
    # An actor was scaled away.
    {series("up", {"instance": "b:9100", "job": "actor"}, of_job=False): "1x30 " + GONE},
    # A pause of a minute in training, as a slow checkpoint makes it.
    {TRAIN_COUNT: "0+100x30 3000x4 3000+100x24"},
]


def case(changes: dict[str, str], firing: list[str]) -> dict:
    """Return a test of promtool: these alerts fire after 14 minutes, and no others."""
    alerts = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in firing]
    return {
        "interval": "15s",
        "input_series": [{"series": name, "values": values.strip()} for name, values in {**GOOD, **changes}.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (count by (alertname, srl_job) (ALERTS{alertstate="firing"}))',
                "eval_time": "14m",
                "exp_samples": alerts,
            }
        ],
    }


def run(folder, cases):
    file = folder / "test.yml"
    rule_files = [str(path) for path in sorted(RULES.glob("*.yml"))]
    file.write_text(yaml.safe_dump({"rule_files": rule_files, "evaluation_interval": "30s", "tests": cases}))
    return promtool("test", "rules", str(file), folder=folder)


def test_the_configuration_is_valid():
    done = promtool("check", "config", "prometheus.yml", folder=CONFIG.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_alone_when_it_should(tmp_path):
    cases = [case(changes, [alert]) for alert, changes in [*FAULTS.items(), *OTHER_FAULTS]]
    done = run(tmp_path, cases)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_every_alert_is_tested():
    assert FAULTS.keys() == {rule["alert"] for rule in rules() if "alert" in rule}


def test_nothing_fires_while_all_is_well(tmp_path):
    done = run(tmp_path, [case(changes, []) for changes in QUIET])
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_a_case_that_is_wrong_fails(tmp_path):
    assert run(tmp_path, [case({}, ["SRLNoProgress"])]).returncode != 0
    assert run(tmp_path, [case(FAULTS["SRLNoProgress"], [])]).returncode != 0


def test_every_alert_says_what_it_means_and_how_grave_it_is():
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert rule["annotations"].keys() == {"summary", "description"}
            assert len(rule["annotations"]["description"]) > 100, "what it means, and what to do"


def test_names_of_recording_rules_say_level_metric_and_operation():
    for rule in rules():
        if "record" in rule:
            level, metric, operation = rule["record"].split(":")
            assert level in {"cluster", "actor"}
            assert metric.startswith("srl_")
            assert operation in {"rate1m", "ratio1m", "mean", "count"}


def test_the_page_has_every_alert_with_its_severity_and_time():
    page = (ROOT / "docs" / "monitoring.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in page.splitlines() if line.startswith("| `SRL")]
    alerts = [rule for rule in rules() if "alert" in rule]
    assert rows == [[f"`{each['alert']}`", each["labels"]["severity"], each.get("for", "")] for each in alerts]


def test_the_page_names_recording_rules_that_there_are():
    page = (ROOT / "docs" / "monitoring.md").read_text()
    named = {line.split()[0] for line in page.splitlines() if line.startswith(("cluster:", "actor:"))}
    assert named
    assert named <= {rule["record"] for rule in rules() if "record" in rule}
