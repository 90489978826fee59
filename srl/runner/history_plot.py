"""Histories as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.utils.optional_package import import_optional
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from srl.runner.history_file import Row

    Numbers = npt.NDArray[np.float64]

_SIZE_INCHES = (9.0, 5.0)
_DOTS_PER_INCH = 120
_XLABELS = {"time": "time (s)", "step": "environment steps", "train": "updates", "episode": "episodes"}


@dataclass(frozen=True)
class Axis:
    """What is drawn at one side."""

    names: Sequence[str]
    ymin: float | None = None
    ymax: float | None = None


def draw(
    histories: Mapping[str, list[Row]],
    xlabel: str,
    left: Axis,
    right: Axis,
    aggregation_num: int,
    title: str,
    path: str | Path,
) -> Figure:
    """Draw columns of several histories in one picture; see HistoryViewer.plot."""
    figure = _new_figure(shown=not path)
    left_axes = figure.add_subplot()
    plotter = _Plotter(histories, xlabel, aggregation_num)
    plotter.plot(left_axes, left, dashed=False)
    all_axes = [left_axes]
    if right.names:
        all_axes.append(left_axes.twinx())
        plotter.plot(all_axes[1], right, dashed=True)
    _decorate(figure, all_axes, xlabel, title)
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    else:
        import_optional("matplotlib.pyplot", "plot", "plot").show()
    return figure


def _new_figure(*, shown: bool) -> Figure:
    """Return a figure; only one that is to be shown opens a window."""
    options: dict[str, Any] = {"figsize": _SIZE_INCHES, "dpi": _DOTS_PER_INCH, "layout": "constrained"}
    module, name = ("matplotlib.pyplot", "figure") if shown else ("matplotlib.figure", "Figure")
    figure: Figure = getattr(import_optional(module, "plot", "plot"), name)(**options)
    return figure


class _Plotter:
    """Draws columns, each in a colour of its own."""

    def __init__(self, histories: Mapping[str, list[Row]], xlabel: str, points: int) -> None:
        self._histories = histories
        self._xlabel = xlabel
        self._points = points
        self._drawn = 0

    def plot(self, axes: Axes, axis: Axis, *, dashed: bool) -> None:
        for name in axis.names:
            for history, rows in self._histories.items():
                chosen = _rows_with(rows, self._xlabel, name)
                points = min(self._points, len(chosen) // len({row["name"] for row in chosen}))
                x, y = _columns(chosen, self._xlabel, name)
                self._line(axes, x, y, points, f"{history} {name}".strip(), "--" if dashed else "-")
        axes.set_ylabel(", ".join(axis.names))
        axes.set_ylim(axis.ymin, axis.ymax)

    def _line(self, axes: Axes, x: Numbers, y: Numbers, points: int, label: str, style: str) -> None:
        """Draw one line; where several actors wrote, its points are of all of them together."""
        color = f"C{self._drawn % 10}"
        self._drawn += 1
        if 0 < points < len(x):
            x, y, low, high = _aggregated(x, y, points)
            axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
        marker = "." if len(x) <= 60 else ""
        axes.plot(x, y, style, color=color, label=label, linewidth=1.8, marker=marker)


def _rows_with(rows: list[Row], xlabel: str, name: str) -> list[Row]:
    """Return the rows that have numbers in both columns. Raises UsageError without any."""
    chosen = [row for row in rows if _is_number(row.get(xlabel)) and _is_number(row.get(name))]
    if not chosen:
        known = sorted({each for row in rows for each in row if _is_number(row[each])})
        raise UsageError(f"no row has both '{xlabel}' and '{name}': columns with numbers are {', '.join(known)}")
    return chosen


def _columns(rows: list[Row], xlabel: str, name: str) -> tuple[Numbers, Numbers]:
    """Return two columns in the order of the first."""
    table = np.array([(row[xlabel], row[name]) for row in rows], dtype=np.float64)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return table[:, 0], table[:, 1]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _aggregated(x: Numbers, y: Numbers, points: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return mean x, mean y, and the tenth and ninetieth percentile of y, of so many parts of the range of x."""
    edges = np.linspace(x[0], x[-1], points + 1)
    parts = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, points - 1)
    chosen = [parts == part for part in np.unique(parts)]
    means_x, means_y = (np.array([values[part].mean() for part in chosen]) for values in (x, y))
    low, high = (np.array([np.quantile(y[part], share) for part in chosen]) for share in (0.1, 0.9))
    return means_x, means_y, low, high


def _decorate(figure: Figure, all_axes: list[Axes], xlabel: str, title: str) -> None:
    axes = all_axes[0]
    axes.set_xlabel(_XLABELS.get(xlabel, xlabel))
    axes.set_title(title)
    axes.grid(visible=True, alpha=0.25)
    axes.spines["top"].set_visible(False)
    lines = [line for each in all_axes for line in each.get_lines()]
    figure.legend(handles=lines, loc="outside upper center", ncols=min(4, len(lines)), frameon=False)
