"""The generated pages are what `make docs` writes now."""

import importlib

import pytest
from markdown import ROOT


@pytest.fixture
def generate(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("docs.generate")


def test_the_pages_are_up_to_date(generate):
    for path, text in generate.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: run `make docs`"


def test_every_message_setting_and_metric_has_its_line(generate):
    protocol, settings, metrics, *_ = generate.pages().values()
    for message in generate.messages.CATALOGUE:
        assert f"### {generate.messages.CATALOGUE.index(message)} {message.__name__}\n" in protocol
    for kind in generate.settings.ALL_SETTINGS:
        for name in kind.__dataclass_fields__:
            assert f"| `{generate.settings.variable(name)}` |" in settings
    for definition in generate.metrics.ACTOR + generate.metrics.HOST + generate.metrics.LEARNER:
        assert f"| `{definition.name}` | {definition.kind} |" in metrics


def test_docstrings_of_fields_are_found(generate):
    hello = {each.name: each for each in generate.source.members(generate.messages, "Hello")}
    assert hello["epoch"].doc == "Fencing number of a learner, 0 for others: an older one is refused."
    assert hello["protocol"].doc == ""
    assert hello["released"].type == "dict[str, int]"


def test_every_command_has_its_section(generate):
    from srl.cli.main import COMMANDS, GROUPS

    page = generate.command_line()
    names = [command.__name__ for commands in COMMANDS.values() for command in commands]
    names += [*GROUPS, *(f"{group} {name}" for group, (*_, commands) in GROUPS.items() for name in commands)]
    assert [name for name in names if f"### srl {name}" not in page] == []
    assert "| `--samples-per-insert` `X` |" in page
