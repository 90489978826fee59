"""docs/rate_limit.md: its blocks run, and what it names is there."""

import re

from markdown import ROOT, blocks

from services.hosting.flow import TUNABLE
from srl_common import metrics
from srl_common.settings import ActorSettings, LearnerSettings, variable

PAGE = ROOT / "docs" / "rate_limit.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_blocks_run():
    exec("\n\n".join(blocks(PAGE, "python")), {"__name__": "rate_limit_page"})


def test_the_metrics_are_those_of_the_host():
    assert set(re.findall(r"`(srl_\w+)`", TEXT)) == {each.name for each in metrics.FLOW} - {"srl_samples_total"}


def test_the_settings_are_there_and_none_is_missing():
    known = {variable(name) for kind in (ActorSettings, LearnerSettings) for name in kind.__dataclass_fields__}
    named = set(re.findall(r"`(SRL_\w+?)(?:=\w+)?`", TEXT))
    assert {variable(name) for name in TUNABLE} <= named <= known
