"""Links and paths in the documents lead somewhere."""

import re

import pytest
from markdown import PAGES, ROOT

FOLDERS = r"(?:srl|srl_common|services|tests|docs|examples|benchmarks)"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_are_those_of_files(page):
    for path in re.findall(rf"`({FOLDERS}/[\w/.]+)`", page.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path


def test_there_are_pages():
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "architecture.md"} <= {page.name for page in PAGES}
