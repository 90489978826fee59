"""What a history shows: its rows, as a table, as a picture; several of them beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from srl.runner.history_file import Row, read_folder, row_files
from srl.utils.config_file import read_config
from srl.utils.optional_package import import_optional
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

_REWARDS = ("reward0",)


class HistoryViewer:
    """The history of some runs.

    Attributes:
        logs: the rows, the oldest first. All have "name" and "time"; the rest depends on what wrote them.
        folder: where they were read from.
    """

    def __init__(self, logs: list[Row], folder: Path) -> None:
        self.logs = logs
        self.folder = folder

    @classmethod
    def load(cls, folder: str | Path) -> HistoryViewer:
        """Read the history of a folder. Raises UsageError when there is none."""
        folder = Path(folder)
        if not row_files(folder):
            raise UsageError(f"{folder} holds no history: give the save_dir of set_history_on_file")
        return cls(read_folder(folder), folder)

    @property
    def context(self) -> dict[str, Any]:
        """The settings of the last run, as plain data; {} when they were not written."""
        return self._config("context.json")

    @property
    def env_config(self) -> dict[str, Any]:
        """The settings of the environment, as plain data; {} when they were not written."""
        return self._config("env_config.json")

    @property
    def rl_config(self) -> dict[str, Any]:
        """The settings of the algorithm, as plain data; {} when they were not written."""
        return self._config("rl_config.json")

    @property
    def version(self) -> str:
        """The version of this package that wrote the history."""
        path = self.folder / "version.txt"
        return path.read_text(encoding="utf-8").strip() if path.exists() else ""

    def names(self) -> list[str]:
        """Return the columns that rows have."""
        return list(dict.fromkeys(name for row in self.logs for name in row))

    def get_df(self) -> pd.DataFrame:
        """Return the rows as a table of pandas. Needs the extra "plot"."""
        table: pd.DataFrame = import_optional("pandas", "get_df", "plot").DataFrame(self.logs)
        return table

    def plot(
        self,
        xlabel: str = "time",
        ylabel_left: Sequence[str] = _REWARDS,
        ylabel_right: Sequence[str] = (),
        aggregation_num: int = 50,
        title: str = "",
        left_ymin: float | None = None,
        left_ymax: float | None = None,
        right_ymin: float | None = None,
        right_ymax: float | None = None,
        path: str | Path = "",
    ) -> Figure:
        """Draw columns over another one, and show it, or save it where `path` is given.

        Rows are put together into at most `aggregation_num` points: a line of means, and around it the range from the
        tenth to the ninetieth percentile. 0 draws every row. Needs the extra "plot". Raises UsageError for a column
        that no row has together with `xlabel`.
        """
        from srl.runner.history_plot import Axis, draw

        left = Axis(list(ylabel_left), left_ymin, left_ymax)
        right = Axis(list(ylabel_right), right_ymin, right_ymax)
        return draw({"": self.logs}, xlabel, left, right, aggregation_num, title, path)

    def _config(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        return read_config(path) if path.exists() else {}


class HistoryViewers:
    """Several histories, to compare."""

    def __init__(self, viewers: list[HistoryViewer]) -> None:
        self.viewers = viewers

    @classmethod
    def load(cls, folders: Sequence[str | Path]) -> HistoryViewers:
        """Read the histories of several folders. Raises UsageError when one holds none."""
        return cls([HistoryViewer.load(folder) for folder in folders])

    def plot(
        self,
        xlabel: str = "time",
        ylabel_left: Sequence[str] = _REWARDS,
        ylabel_right: Sequence[str] = (),
        aggregation_num: int = 50,
        title: str = "",
        left_ymin: float | None = None,
        left_ymax: float | None = None,
        right_ymin: float | None = None,
        right_ymax: float | None = None,
        path: str | Path = "",
    ) -> Figure:
        """Draw as `HistoryViewer.plot` does, with the name of its folder for each history."""
        from srl.runner.history_plot import Axis, draw

        left = Axis(list(ylabel_left), left_ymin, left_ymax)
        right = Axis(list(ylabel_right), right_ymin, right_ymax)
        logs = {viewer.folder.name: viewer.logs for viewer in self.viewers}
        return draw(logs, xlabel, left, right, aggregation_num, title, path)
