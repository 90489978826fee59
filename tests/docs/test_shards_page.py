"""docs/shards.md: what it names is there, and the numbers are those of the source."""

import re

from markdown import ROOT

from services.learner.remote_memory import PATIENCE_S
from srl_common import metrics
from srl_common.link import BEAT_INTERVAL_S, SILENT_AFTER_S
from srl_common.settings import LearnerSettings, MemorySettings, read, variable
from srl_common.shards import at_shard, of_memory_service

TEXT = (ROOT / "docs" / "shards.md").read_text(encoding="utf-8")


def test_the_example_is_accepted():
    environ = dict(re.findall(r"(SRL_\w+)=(\S+)", TEXT.partition("```bash\n")[2].partition("```")[0]))
    assert at_shard(read(LearnerSettings, environ), 1, "trainer_uri").trainer_uri == "tcp://memory-1:5601"
    listening = {**environ, "SRL_MEMORY_SHARD": "1", "SRL_MEMORY_URI": "tcp://0.0.0.0:5600"}
    assert of_memory_service(read(MemorySettings, listening)).journal_dir.endswith("/shard-1")


def test_settings_and_metrics_that_are_named_are_there():
    known = {variable(name) for kind in (LearnerSettings, MemorySettings) for name in kind.__dataclass_fields__}
    assert set(re.findall(r"SRL_\w+[A-Z]", TEXT)) <= known
    assert set(re.findall(r"`(srl_\w+)`", TEXT)) <= {each.name for each in metrics.HOST + metrics.LEARNER}


def test_the_times_are_those_of_the_source():
    assert f"{PATIENCE_S} seconds at most" in TEXT
    assert f"After {SILENT_AFTER_S:g} seconds without an answer" in TEXT
    assert BEAT_INTERVAL_S == 0.5
    assert "half a second old" in TEXT
