"""What a worker shows of itself: its printed text, its state as a picture, and one picture of everything."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from srl.base.define import SpaceTypes
from srl.base.render import Picture, text_to_image

if TYPE_CHECKING:
    from srl.base.rl.worker_run import WorkerRun
    from srl.base.spaces.space import SpaceBase

_GAP_PX = 4


def render_text(worker: WorkerRun, **kwargs: Any) -> str:
    """Return what the author's `render_terminal` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        worker.worker.render_terminal(worker=worker, **kwargs)
    return printed.getvalue()


def rl_picture(worker: WorkerRun) -> Picture | None:
    """Return the newest state as a picture, or None unless its space is image-like."""
    space: SpaceBase[Any] = worker.config.binding.observation.one_step_space
    if not space.is_image_visual():
        return None
    return _to_rgb(np.asarray(worker.get_state_one_step()), space)


def worker_picture(
    worker: WorkerRun, *, add_terminal: bool, add_rgb_array: bool, info_text: str, **kwargs: Any
) -> Picture:
    """Return the environment at the left; info text, state and what the Worker shows at the right."""
    right: list[Picture] = []
    if info_text:
        right.append(text_to_image(info_text))
    if worker.config.render_rl_image and (state := rl_picture(worker)) is not None:
        right.append(_resized(state, worker.config.render_rl_image_size))
    if add_terminal and (text := render_text(worker, **kwargs)):
        right.append(text_to_image(text))
    if add_rgb_array and (picture := worker.worker.render_rgb_array(worker=worker, **kwargs)) is not None:
        right.append(picture)
    left = worker.env.render_rgb_array(**kwargs)
    columns = [] if left is None else [left]
    if right:
        columns.append(_stack(right))
    if not columns:
        columns.append(text_to_image("(no picture)"))
    return _side_by_side(columns)


def _to_rgb(value: npt.NDArray[Any], space: SpaceBase[Any]) -> Picture:
    picture = value * 255 if np.issubdtype(value.dtype, np.floating) and value.max(initial=0) <= 1 else value
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if space.stype is SpaceTypes.GRAY_HW:
        picture = picture[..., np.newaxis]
    return np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize(size), dtype=np.uint8)


def _stack(pictures: list[Picture]) -> Picture:
    width = max(p.shape[1] for p in pictures)
    return np.vstack([_padded(p, p.shape[0] + _GAP_PX, width) for p in pictures])


def _side_by_side(pictures: list[Picture]) -> Picture:
    height = max(p.shape[0] for p in pictures)
    return np.hstack([_padded(p, height, p.shape[1] + _GAP_PX) for p in pictures])


def _padded(picture: Picture, height: int, width: int) -> Picture:
    frame = np.zeros((height, width, 3), dtype=np.uint8)
    frame[: picture.shape[0], : picture.shape[1]] = picture
    return frame
