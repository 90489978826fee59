"""Packages that only some features need."""

from __future__ import annotations

import importlib
from typing import Any

from srl.utils.usage import UsageError


def import_optional(module: str, feature: str, extra: str) -> Any:
    """Import a module that an extra of this package brings.

    Raises UsageError that names the feature and how to install what it needs.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        raise UsageError(f"{feature} needs {package}: pip install 'srl-cluster[{extra}]'") from error
