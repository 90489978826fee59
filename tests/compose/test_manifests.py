"""What ops/kubernetes renders to is valid for the newest versions, with no more rights than it needs."""

import importlib.metadata
import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from srl_common.security import make_keys
from srl_common.settings import PREFIX, _known_variables

ROOT = Path(__file__).parents[2]
OVERLAYS = ("local", "production", "sharded")
NEWEST_VERSIONS = 3
CUSTOM_KINDS = {"ServiceMonitor", "PrometheusRule"}
"""Of the Prometheus operator: there are no schemas of them here, so that they are not validated."""

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Return the resources of each overlay, with keys as a person would make them."""
    ops = tmp_path_factory.mktemp("checkout") / "ops"
    shutil.copytree(ROOT / "ops", ops)
    make_keys(ops / "kubernetes" / "keys")
    texts = {overlay: _kustomize(ops / "kubernetes" / "overlays" / overlay) for overlay in OVERLAYS}
    return {overlay: list(yaml.safe_load_all(text)) for overlay, text in texts.items()}


def _kustomize(folder: Path) -> str:
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _newest_versions() -> list[str]:
    files = importlib.metadata.files("kubernetes-validate") or []
    found = {match.groups() for file in files if (match := re.search(r"/v?(\d+)\.(\d+)\.\d+", str(file)))}
    newest = sorted({(int(major), int(minor)) for major, minor in found})[-NEWEST_VERSIONS:]
    return [f"{major}.{minor}" for major, minor in newest]


def _pods(resources):
    return [each for each in resources if each["kind"] in {"Deployment", "StatefulSet"}]


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", _newest_versions())
def test_every_resource_is_valid_by_the_schema(rendered, overlay, version):
    validated = [each for each in rendered[overlay] if each["kind"] not in CUSTOM_KINDS]
    assert len(validated) > 15
    for resource in validated:
        kubernetes_validate.validate(resource, version, strict=True)


def test_three_versions_are_checked_and_a_mistake_is_found(rendered):
    assert len(_newest_versions()) == NEWEST_VERSIONS
    broken = {**_pods(rendered["local"])[0], "replica": 1}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, _newest_versions()[-1], strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_are_restricted(rendered, overlay):
    for resource in _pods(rendered[overlay]):
        pod = resource["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            assert container["readinessProbe"]
            assert container["livenessProbe"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_referred_to_is_there(rendered, overlay):
    """Secrets and configurations by their final names, and a Service of each name that services connect to."""
    names = {(each["kind"], each["metadata"]["name"]) for each in rendered[overlay]}
    for resource in _pods(rendered[overlay]):
        pod = resource["spec"]["template"]["spec"]
        for volume in pod["volumes"]:
            assert "secret" not in volume or ("Secret", volume["secret"]["secretName"]) in names
            assert "configMap" not in volume or ("ConfigMap", volume["configMap"]["name"]) in names
        assert (
            resource["spec"]["selector"]["matchLabels"].items()
            <= resource["spec"]["template"]["metadata"]["labels"].items()
        )
    assert {("Service", "memory"), ("Service", "redis"), ("Service", "actor"), ("Service", "learner")} <= names


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_are_settings(rendered, overlay):
    maps = [each["data"] for each in rendered[overlay] if each["kind"] == "ConfigMap"]
    given = {key for data in maps for key in data if key.startswith(PREFIX)}
    for resource in _pods(rendered[overlay]):
        (container,) = resource["spec"]["template"]["spec"]["containers"]
        given |= {variable["name"] for variable in container.get("env", [])}
    assert given <= set(_known_variables())


def test_nobody_talks_to_anybody_but_by_a_rule(rendered):
    policies = {each["metadata"]["name"]: each["spec"] for each in rendered["local"] if each["kind"] == "NetworkPolicy"}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (to_actors,) = [rule for name, rule in policies.items() if name == "from-actor"]
    assert [rule["ports"] for rule in to_actors["egress"]] == [[{"port": 5600}], [{"port": 6379}]]


def test_production_scales_actors_by_what_the_adapter_answers(rendered):
    (scaler,) = [each for each in rendered["production"] if each["kind"] == "HorizontalPodAutoscaler"]
    adapter = yaml.safe_load((ROOT / "ops/kubernetes/monitoring/adapter-values.yaml").read_text())
    (rule,) = adapter["rules"]["external"]
    assert scaler["spec"]["metrics"][0]["external"]["metric"]["name"] == rule["name"]["as"]
    (actors,) = [each for each in _pods(rendered["production"]) if each["metadata"]["name"] == "actor"]
    assert "replicas" not in actors["spec"], "applying would undo what the autoscaler does"


def test_each_memory_service_of_a_sharded_cluster_is_one_shard(rendered):
    pods = {each["metadata"]["name"]: each for each in _pods(rendered["sharded"])}
    environments = {
        name: {each["name"]: each for each in pod["spec"]["template"]["spec"]["containers"][0].get("env", [])}
        for name, pod in pods.items()
    }
    shards = {environments[name]["SRL_MEMORY_SHARDS"]["value"] for name in ("memory", "learner", "actor")}
    assert shards == {str(pods["memory"]["spec"]["replicas"])} == {"2"}
    number = environments["memory"]["SRL_MEMORY_SHARD"]["valueFrom"]["fieldRef"]["fieldPath"]
    assert number == "metadata.labels['apps.kubernetes.io/pod-index']"
    assert environments["learner"]["SRL_TRAINER_URI"]["value"] == "tcp://memory-{shard}.memory:5601"
    assert environments["actor"]["SRL_MEMORY_URI"]["value"] == "tcp://memory-{shard}.memory:5600"


def test_the_operator_gets_the_rules_of_prometheus(rendered):
    (rules,) = [each for each in rendered["production"] if each["kind"] == "PrometheusRule"]
    files = (ROOT / "ops/prometheus/rules").glob("*.yml")
    names = {group["name"] for file in files for group in yaml.safe_load(file.read_text())["groups"]}
    assert {group["name"] for group in rules["spec"]["groups"]} == names
