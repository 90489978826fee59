"""`python -m ops.generate` makes the Swarm stack from docker-compose.yml, Kubernetes' rules from Prometheus'."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

OPS = Path(__file__).parent
COMPOSE = OPS.parent / "docker-compose.yml"
STACK = OPS / "swarm" / "stack.yml"
RULES = OPS / "kubernetes" / "monitoring" / "rules.yaml"

ONLY_COMPOSE = {"keys", "cli"}
"""Services that have no place in a swarm: keys are secrets there, and the command line is run by hand."""
SAME_IN_SWARM = (
    "image",
    "command",
    "entrypoint",
    "environment",
    "networks",
    "healthcheck",
    "read_only",
    "cap_drop",
    "stop_grace_period",
    "logging",
)
SECRETS = {
    "redis": ["redis/users.acl"],
    "memory": ["memory/server.secret", "memory/curve.server", "memory/allowed", "memory/redis.auth"],
    "learner": ["learner/curve.secret", "learner/curve.server", "learner/redis.auth"],
    "actor": ["actor/curve.secret", "actor/curve.server", "actor/redis.auth"],
}
"""By service, the files below the folder of keys that it may know."""
ON_ITS_NODE = {"redis", "memory", "prometheus"}
"""Services whose volume must be where it was the last time: a volume belongs to one node."""
OUR_USER = "10001"
REDIS_USER, REDIS_GROUP, REDIS_FOLDER = "999", "1000", "/data"
"""In a swarm nobody prepares Redis' volume for our user: Redis runs as the user of its image, in the folder of that."""

STACK_HEADER = """\
# Made from docker-compose.yml by `python -m ops.generate`: change that file. A cluster on the nodes of a swarm:
#   srl keys make --folder ops/swarm/keys
#   docker node update --label-add srl.data=true NODE      the node whose disk holds what must last
#   docker stack deploy --compose-file ops/swarm/stack.yml srl
# No port is published. Secrets and configurations cannot change under a name: raise SRL_VERSION when they do.
"""
RULES_HEADER = "# Made from ops/prometheus/rules by `python -m ops.generate`: change the files there.\n"


class _Plain(yaml.SafeDumper):
    """Writes out what is there twice, instead of referring to it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _to_yaml(data: Any) -> str:
    return yaml.dump(data, Dumper=_Plain, sort_keys=False, width=120)


def make_stack() -> str:
    """Return the text of the stack file."""
    compose = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    services = {name: each for name, each in compose["services"].items() if name not in ONLY_COMPOSE}
    configs: dict[str, Any] = {}
    stack = {
        "version": "3.9",
        "services": {name: _stack_service(name, each, configs) for name, each in services.items()},
        "networks": {
            # Redis speaks in the clear: between nodes, the network encrypts.
            "cluster": {"driver": "overlay", "internal": True, "attachable": True, "driver_opts": {"encrypted": ""}},
            "pages": {"driver": "overlay"},
        },
        "volumes": {_volume(name): {} for name in ("redis", "journal", "prometheus")},
        "secrets": {
            _slug(file): {"file": f"./keys/{file}", "name": _versioned(file)}
            for files in SECRETS.values()
            for file in files
        },
        "configs": configs,
    }
    return STACK_HEADER + _to_yaml(stack)


def _stack_service(name: str, service: dict[str, Any], configs: dict[str, Any]) -> dict[str, Any]:
    stack = {key: service[key] for key in SAME_IN_SWARM if key in service}
    mounts = [_mount(each) for each in service.get("volumes", [])]
    files = [mount for mount in mounts if mount["source"].startswith("./")]
    volumes = [
        {**mount, "source": _volume(mount["source"])}
        for mount in mounts
        if not mount["source"].startswith(("./", "keys-", "$"))
    ]
    uid, gid = OUR_USER, OUR_USER
    if name == "redis":
        uid, gid = REDIS_USER, REDIS_GROUP
        stack["user"] = f"{uid}:{gid}"
        (volume,) = volumes
        stack["command"] = [REDIS_FOLDER if word == volume["target"] else word for word in service["command"]]
        volumes = [{**volume, "target": REDIS_FOLDER}]
    stack["volumes"] = [*volumes, *(_tmpfs(each) for each in service.get("tmpfs", []) if name != "redis")]
    stack["secrets"] = [
        {"source": _slug(file), "target": f"/keys/{file}", "uid": uid, "gid": gid, "mode": 0o400}
        for file in SECRETS.get(name, [])
    ]
    stack["configs"] = [use for mount in files for use in _use_files(mount, configs)]
    stack["deploy"] = _deploy(name, service)
    return {key: value for key, value in stack.items() if value}


def _mount(volume: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(volume, dict):
        return {"type": "volume", "source": volume["source"], "target": volume["target"]}
    # The source may be a ${VARIABLE:-default}, with a colon of its own.
    source, target = volume.removesuffix(":ro").rsplit(":", 1)
    return {"type": "volume", "source": source, "target": target}


def _volume(name: str) -> str:
    """Return another name than Compose's: a stack and a project of one name would share the volume, not its owner."""
    return f"swarm-{name}"


def _tmpfs(text: str) -> dict[str, Any]:
    target, _, options = text.partition(":")
    megabytes = int(options.partition("size=")[2].partition("m")[0])
    return {"type": "tmpfs", "target": target, "tmpfs": {"size": megabytes << 20}}


def _use_files(mount: dict[str, Any], configs: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the configs that put the files of a mounted file or folder where the mount would."""
    root = COMPOSE.parent / mount["source"]
    files = [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file())
    uses = []
    for file in files:
        path = file.relative_to(OPS).as_posix()
        configs[_slug(path)] = {"file": f"../{path}", "name": _versioned(path)}
        within = "" if file == root else f"/{file.relative_to(root).as_posix()}"
        uses.append({"source": _slug(path), "target": f"{mount['target']}{within}"})
    return uses


def _deploy(name: str, service: dict[str, Any]) -> dict[str, Any]:
    limits = {"cpus": service["cpus"], "memory": service["mem_limit"], "pids": service["pids_limit"]}
    deploy = {
        # Its name stands for the addresses of all its tasks, as in Compose: Prometheus and ZeroMQ want those.
        "endpoint_mode": "dnsrr",
        "replicas": service.get("scale", 1),
        "restart_policy": {"condition": "any", "delay": "2s"},
        "update_config": {"order": "stop-first"},
        "resources": {"limits": limits},
    }
    if name in ON_ITS_NODE:
        deploy["placement"] = {"constraints": ["node.labels.srl.data == true"]}
    return deploy


def _slug(path: str) -> str:
    return path.replace("/", "-").replace(".", "-")


def _versioned(path: str) -> str:
    return f"srl-{_slug(path)}-${{SRL_VERSION:-1}}"


def make_rules() -> str:
    """Return the text of the PrometheusRule."""
    groups = []
    for file in sorted((OPS / "prometheus" / "rules").glob("*.yml")):
        groups += yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "srl"},
        "spec": {"groups": groups},
    }
    return RULES_HEADER + _to_yaml(resource)


GENERATED = {STACK: make_stack, RULES: make_rules}


def main() -> None:
    """Write them."""
    for path, make in GENERATED.items():
        path.write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
