"""One line of a terminal that is kept up to date; plain lines now and then where there is no terminal."""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.live import Live

_LIVE_INTERVAL_S = 0.2


class ProgressLine:
    """Shows where a run stands.

    Sequence of calls: `update` as often as wanted, `print` for what is to stay, `finish` once.
    Plain lines come after `first_s` seconds and then at doubling intervals up to `longest_s`.
    """

    def __init__(
        self,
        first_s: float = 1,
        longest_s: float = 120,
        *,
        live: bool = True,
        file: IO[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.console import Console

        self._console = Console(file=file, highlight=False, soft_wrap=True)
        self._is_live = live and self._console.is_terminal
        self._live: Live | None = None
        self._interval_s = _LIVE_INTERVAL_S if self._is_live else first_s
        self._longest_s = longest_s
        self._clock = clock
        self._next_s = clock() + self._interval_s

    def is_due(self) -> bool:
        """Tell whether `update` would show anything now: making the text may cost more than asking."""
        return self._clock() >= self._next_s

    def update(self, text: str) -> None:
        """Show where the run stands now, unless the last text is too recent."""
        if not self.is_due():
            return
        if self._is_live:
            self._live_line().update(text, refresh=True)
        else:
            self.print(text)
            self._interval_s = min(2 * self._interval_s, self._longest_s)
        self._next_s = self._clock() + self._interval_s

    def print(self, text: str) -> None:
        """Show a line that stays."""
        self._console.print(text, markup=False)

    def finish(self, summary: Mapping[str, str]) -> None:
        """Take the line away and show a table of the results, if there are any."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if summary:
            self._console.print(_table(summary))

    def _live_line(self) -> Live:
        if self._live is None:
            from rich.live import Live

            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self._live


def _table(summary: Mapping[str, str]) -> object:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, show_header=False)
    for name, value in summary.items():
        table.add_row(name, value)
    return table
