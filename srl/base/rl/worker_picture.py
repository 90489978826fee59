"""What a worker shows of itself: its printed text, its state as a picture, and one picture of everything."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from srl.base.define import SpaceTypes
from srl.base.picture import Picture, below, beside, fitted
from srl.base.render import text_to_image
from srl.base.spaces.box import BoxSpace
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.rl.worker_run import WorkerRun
    from srl.base.spaces.space import SpaceBase


def render_text(worker: WorkerRun, **kwargs: Any) -> str:
    """Return what the author's `render_terminal` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        worker.worker.render_terminal(worker=worker, **kwargs)
    return printed.getvalue()


def rl_picture(worker: WorkerRun) -> Picture | None:
    """Return the newest state as a picture, or None unless its space is image-like."""
    space: SpaceBase[Any] = worker.config.binding.observation.one_step_space
    if not isinstance(space, BoxSpace) or not space.is_image_visual():
        return None
    return _to_rgb(np.asarray(worker.get_state_one_step()), space)


def worker_picture(
    worker: WorkerRun, *, add_terminal: bool, add_rgb_array: bool, info_text: str, **kwargs: Any
) -> Picture:
    """Return the environment at the left; info text, state and what the Worker shows at the right.

    Raises UsageError when there is none of them.
    """
    right: list[Picture] = []
    if info_text:
        right.append(_written(worker, info_text))
    if worker.config.render_rl_image and (state := rl_picture(worker)) is not None:
        right.append(fitted(state, worker.config.render_rl_image_size))
    if add_terminal and (text := render_text(worker, **kwargs)).strip():
        right.append(_written(worker, text))
    if add_rgb_array and (picture := worker.worker.render_rgb_array(worker=worker, **kwargs)) is not None:
        right.append(np.asarray(picture).astype(np.uint8, copy=False))
    return beside_env(worker, right, **kwargs)


def beside_env(worker: WorkerRun, right: list[Picture], **kwargs: Any) -> Picture:
    """Return the environment at the left, and what is at the `right` of it from top to bottom.

    Raises UsageError when there is neither.
    """
    env = worker.env.render_rgb_array(**kwargs)
    columns = [env] if env is not None else []
    if right:
        columns.append(below(right))
    if not columns:
        raise UsageError(
            f"there is nothing to draw: environment '{worker.env.name}' has neither picture nor text. "
            "Write render_rgb_array or render_terminal in it, or let the info text be drawn"
        )
    return beside(columns)


def _written(worker: WorkerRun, text: str) -> Picture:
    config = worker.env.config
    return text_to_image(text, config.font_name, config.font_size)


def _to_rgb(value: npt.NDArray[Any], space: BoxSpace) -> Picture:
    low, high = _bounds(space)
    picture = (np.clip(value, low, high).astype(np.float64) - low) * 255 / (high - low)
    picture = picture.round().astype(np.uint8)
    if space.stype is SpaceTypes.GRAY_HW:
        picture = picture[..., np.newaxis]
    return np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture


def _bounds(space: BoxSpace) -> tuple[float, float]:
    """Return what is black and what is white: the bounds of the space, 0 and 255 where they say nothing."""
    low, high = float(np.min(space.low)), float(np.max(space.high))
    return (low, high) if np.isfinite([low, high]).all() and low < high else (0.0, 255.0)
