"""Who may import whom, checked in the source: the architecture's arrows."""

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"srl", "srl_common", "services"}
ONLY_IN = {
    "zmq": {"srl_common/transport.py", "srl_common/security.py", "srl_common/admission.py"},
    "msgpack": {"srl_common/codec.py", "srl_common/dtypes.py"},
    "redis": {f"srl_common/redis_{part}.py" for part in ("connection", "facts", "refusals", "store", "watch")},
    "prometheus_client": {"srl_common/metrics.py", "srl_common/service.py", "srl/cli/pages.py"},
}


@functools.cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def imports(file: Path, *, lazy: bool = True) -> set[str]:
    """Return the full names of modules that a file imports; without `lazy` only those at import time."""
    tree = _parsed(file)
    nodes = ast.walk(tree) if lazy else _at_import(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def _at_import(tree):
    """Yield the nodes that run when the module is imported: not in functions, not under TYPE_CHECKING."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        is_typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_typing:
            waiting += ast.iter_child_nodes(node)


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def test_srl_common_imports_nothing_of_ours():
    for file in files("srl_common"):
        assert tops(imports(file)) & OURS <= {"srl_common"}, file


def test_srl_imports_services_only_lazily_and_only_where_it_trains_distributed():
    for file in files("srl"):
        if file.name == "failures.py" and file.parent == ROOT / "srl" / "cli":
            assert imports(file, lazy=False) & {"srl_common.errors", "srl_common"} == {"srl_common.errors"}
            continue  # the command line tells errors apart before it knows which command is called
        assert not tops(imports(file, lazy=False)) & {"srl_common", "services"}, file
        if tops(imports(file)) & {"srl_common", "services"}:
            assert file.parent in {ROOT / "srl" / "runner", ROOT / "srl" / "cli"}, file


def test_services_do_not_import_each_other():
    for kind in ("actor", "memory", "learner"):
        for file in files(f"services/{kind}"):
            others = {f"services.{each}" for each in ("actor", "memory", "learner")} - {f"services.{kind}"}
            assert not {name for name in imports(file) if any(name.startswith(o) for o in others)}, file


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_imported_only_where_it_belongs(library):
    using = {str(f.relative_to(ROOT)) for folder in OURS for f in files(folder) if library in tops(imports(f))}
    assert using <= ONLY_IN[library]
    assert using


def test_nothing_in_the_framework_unpickles():
    for folder in ("srl_common", "services"):
        for file in files(folder):
            assert not tops(imports(file)) & {"pickle", "marshal", "shelve", "dill", "cloudpickle"}, file


def test_the_environment_is_read_only_in_settings():
    for folder in ("srl_common", "services"):
        for file in files(folder):
            reads = "os.environ" in file.read_text() or "getenv" in file.read_text()
            assert not reads or file.name == "settings.py", file
