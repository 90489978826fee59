"""How busy this machine is, where the package psutil is installed to say so."""

from __future__ import annotations

import importlib
from typing import Any


class SystemLoad:
    """Reads the machine's load. The share of the processors is that since the last look."""

    def __init__(self) -> None:
        try:
            self._psutil: Any = importlib.import_module("psutil")
        except ModuleNotFoundError:
            self._psutil = None
            return
        self._psutil.cpu_percent()

    def values(self) -> dict[str, float]:
        """Return percentages by name, {} without psutil."""
        if self._psutil is None:
            return {}
        return {"cpu": self._psutil.cpu_percent(), "system_memory": self._psutil.virtual_memory().percent}

    def to_str(self) -> str:
        """Return the percentages as text, "" without psutil."""
        return ", ".join(f"{name.replace('_', ' ')} {value:.0f} %" for name, value in self.values().items())
