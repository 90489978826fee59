"""What Prometheus' operator and prometheus-adapter make of ops/kubernetes/monitoring."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from prometheus_server import promtool

from srl_common import metrics

MONITORING = Path(__file__).parents[2] / "ops" / "kubernetes" / "monitoring"
OF_THE_OPERATOR = {"job", "instance", "namespace", "service", "pod", "container", "endpoint"}
"""Labels that the operator gives every series of a ServiceMonitor, whatever the page has under such a name."""
WAITS, ACTOR_WAITS = "srl_sample_wait_seconds_total", "srl_credit_wait_seconds_total"


def test_no_label_of_ours_is_one_of_the_operators():
    monitor = yaml.safe_load((MONITORING / "service-monitor.yaml").read_text())
    (endpoint,) = monitor["spec"]["endpoints"]
    dropped = {each["regex"] for each in endpoint["relabelings"] if each["action"] == "labeldrop"}
    definitions = (*metrics.SERVICE, *metrics.ACTOR, *metrics.HOST, *metrics.LEARNER)
    ours = {label for each in definitions for label in each.label.split()} | {metrics.JOB_LABEL}
    assert dropped == ours & OF_THE_OPERATOR == {"endpoint"}


@pytest.mark.parametrize(
    ("learner", "actors", "answer"),
    [
        ("0+15x40", ("0x40", "0x40"), 1.0),
        ("0+3x40", ("0x40", "0x40"), 0.2),
        # The rate limit: they take turns, and more actors would only wait longer.
        ("0+6x40", ("0+9x40", "0+15x40"), 0.08),
        ("0+16x40", ("0+16x40", "0+16x40"), 0.0),
        # No job: as many actors stay as there are.
        ("_x40", ("0x40", "0x40"), None),
    ],
)
def test_the_autoscaler_is_told_how_long_the_learner_waits_for_actors_that_do_not(tmp_path, learner, actors, answer):
    series = {f'{WAITS}{{namespace="srl"}}': learner, f'{WAITS}{{namespace="other"}}': "0+15x40"}
    series |= {f'{ACTOR_WAITS}{{namespace="srl", pod="{pod}"}}': values for pod, values in enumerate(actors)}
    case = {
        "interval": "15s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f"round({_query()}, 0.01)",
                "eval_time": "10m",
                "exp_samples": [] if answer is None else [{"labels": "{}", "value": answer}],
            }
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"evaluation_interval": "15s", "tests": [case]}))
    done = promtool("test", "rules", str(file), folder=tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def _query() -> str:
    """Return what prometheus-adapter asks Prometheus for the autoscaler in the namespace `srl`."""
    (rule,) = yaml.safe_load((MONITORING / "adapter-values.yaml").read_text())["rules"]["external"]
    assert rule["seriesQuery"].startswith(WAITS)
    return rule["metricsQuery"].replace("<<.Series>>", WAITS).replace("<<.LabelMatchers>>", 'namespace="srl"')
