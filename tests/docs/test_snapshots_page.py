"""docs/snapshots.md: its blocks run, and its settings, metrics, messages and keys are those that there are."""

import re

import redis
from markdown import ROOT, blocks

from srl_common import metrics
from srl_common.redis_store import RedisStore
from srl_common.settings import ActorSettings, LearnerSettings, variable
from srl_common.snapshots import Snapshot, open_store

PAGE = ROOT / "docs" / "snapshots.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_blocks_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    store = open_store(f"dir://{tmp_path}/store")
    for count in (1, 2):
        store.publish("default", Snapshot.make(1, count, b"data"))
    for block in blocks(PAGE, "python"):
        exec(block.replace("dir:///path/to/snapshots", f"dir://{tmp_path}/store"), {"__name__": "snapshots_page"})
    assert capsys.readouterr().out.splitlines()[0].startswith("(1, 1) ")
    assert store.latest_version("default") == (2, 1)
    assert store.latest_version("another") == (1, 1)


def test_its_settings_and_metrics_are_there():
    known = {variable(name) for kind in (ActorSettings, LearnerSettings) for name in kind.__dataclass_fields__}
    assert set(re.findall(r"`(SRL_\w+)`", TEXT)) <= known
    assert set(re.findall(r"`(srl_\w+)`", TEXT)) <= {each.name for each in metrics.LEARNER}


def test_its_messages_are_said_somewhere():
    files = [path for folder in ("services", "srl_common") for path in (ROOT / folder).rglob("*.py")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    seen = " ".join(re.findall(r"^\|[^|]*\|([^|]*)\|", TEXT, re.MULTILINE))
    messages = [each for each in re.findall(r"`([^`]*)`", seen) if " " in each]
    assert len(messages) > 8
    for part in [part.strip(" ;:") for message in messages for part in message.split("...")]:
        assert part in source, part


def test_the_keys_are_those_of_the_table(redis_server):
    names = re.findall(r"^\| `(srl:[^`]+)` \|", TEXT, re.MULTILINE)
    patterns = [
        re.escape(name.replace("{JOB}", "{job}"))
        .replace("EPOCH\\-COUNT", r"\d+-\d+")
        .replace("TOKEN", "[0-9a-f]+")
        .replace("N", r"\d+")
        for name in names
    ]
    store = RedisStore(redis_server.url)
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        store.publish("job", Snapshot.make(1, 1, b"data", worker_data=b"part"))
        keys = [key.decode() for key in client.keys("*")]
    store.close()
    matched = [[pattern for pattern in patterns if re.fullmatch(pattern, key)] for key in keys]
    assert sorted(pattern for found in matched for pattern in found) == sorted(patterns)
    assert len(keys) == len(patterns)
