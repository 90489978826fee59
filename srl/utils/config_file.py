"""Plain data in yaml or json files, told apart by the end of the name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from srl.utils.usage import UsageError


def write_config(path: str | Path, plain: dict[str, Any]) -> None:
    """Write plain data; its folder is made when absent.

    Raises UsageError unless the name of the file ends in .yaml, .yml or .json.
    """
    target = Path(path)
    is_json = _is_json(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(plain, indent=2) if is_json else _to_yaml(plain), encoding="utf-8")


def read_config(path: str | Path) -> dict[str, Any]:
    """Read plain data. Raises UsageError unless the file is yaml or json and holds a mapping."""
    source = Path(path)
    is_json = _is_json(source)
    text = source.read_text(encoding="utf-8")
    plain = json.loads(text) if is_json else _from_yaml(text)
    if not isinstance(plain, dict):
        raise UsageError(f"{source} does not hold a mapping of names to values")
    return plain


def _is_json(path: Path) -> bool:
    if path.suffix not in {".yaml", ".yml", ".json"}:
        raise UsageError(f"{path}: the name of a configuration file ends in .yaml, .yml or .json")
    return path.suffix == ".json"


def _to_yaml(plain: dict[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))


def _from_yaml(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)
