"""Drawing: IRender prints itself or draws itself; Render shows it as text or as a picture."""

from __future__ import annotations

import contextlib
import functools
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.picture import PAPER, Picture
from srl.utils.usage import UsageError

__all__ = ["IRender", "Picture", "Render", "text_to_image"]

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from srl.base.define import RenderModeType

_MONOSPACED_FONT = "DejaVuSansMono.ttf"
_PLAIN_ARROWS = str.maketrans("←↓→↑", "<v>^")
_MARGIN_PX = 4
_TEXT_COLOR = (236, 238, 240)


class IRender:
    """Something that can be drawn. Override one method or both."""

    def render_terminal(self, **kwargs: Any) -> None:
        """Print the current state."""

    def render_rgb_array(self, **kwargs: Any) -> Picture | None:
        """Return the current state as uint8 (height, width, 3), or None if there is no picture."""
        return None


class Render:
    """Shows an object in one mode: "" (not at all), "terminal", "rgb_array" or "window"."""

    def __init__(self, render_obj: IRender) -> None:
        self.render_obj = render_obj
        self.mode: RenderModeType = ""
        self.set_render_options()

    def set_render_mode(self, mode: RenderModeType) -> None:
        """Choose what `render` does. Raises UsageError for an unknown mode."""
        if mode not in {"", "terminal", "rgb_array", "window"}:
            raise UsageError(f"render_mode '{mode}' is not one of '', 'terminal', 'rgb_array', 'window'")
        self.mode = mode

    def set_render_options(
        self, interval: float = -1, scale: float = 1.0, font_name: str = "", font_size: int = 18
    ) -> None:
        """Set milliseconds between pictures (-1: the object's own), their scale, and the font (px)."""
        self.interval = interval
        self.scale = scale
        self.font_name = font_name
        self.font_size = font_size

    def render(self, **kwargs: Any) -> Picture | None:
        """Draw in the chosen mode: print, or return the picture (which the caller shows in a window)."""
        if self.mode == "terminal":
            self.render_obj.render_terminal(**kwargs)
            return None
        return self.render_rgb_array(**kwargs) if self.mode else None

    def render_terminal_text(self, **kwargs: Any) -> str:
        """Return what the object prints."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            self.render_obj.render_terminal(**kwargs)
        return printed.getvalue()

    def render_terminal_text_to_image(self, **kwargs: Any) -> Picture | None:
        """Return what the object prints as a picture, or None if it prints nothing."""
        text = self.render_terminal_text(**kwargs)
        return text_to_image(text, self.font_name, self.font_size) if text.strip() else None

    def render_rgb_array(self, **kwargs: Any) -> Picture | None:
        """Return the object's picture; if it draws none, its text as a picture; None if it has neither."""
        picture = self.render_obj.render_rgb_array(**kwargs)
        if picture is None:
            return self.render_terminal_text_to_image(**kwargs)
        return np.asarray(picture).astype(np.uint8, copy=False)


def text_to_image(text: str, font_name: str = "", font_size: int = 18) -> Picture:
    """Draw lines of text on dark paper, each character in a cell of the same width.

    `font_name` is a TrueType file or the name of one; empty is a monospaced font if there is one, else the
    font that Pillow brings along. Raises UsageError if the font cannot be opened.
    """
    font = _font(font_name, font_size)
    lines = text.rstrip("\n").split("\n")
    height, width = font.cell
    ink = np.zeros((height * len(lines) + 2 * _MARGIN_PX, width * max(map(len, lines)) + 2 * _MARGIN_PX), np.uint8)
    for row, line in enumerate(lines):
        top = _MARGIN_PX + row * height
        for column, char in enumerate(line):
            if char != " ":
                left = _MARGIN_PX + column * width
                ink[top : top + height, left : left + width] = font.glyph(char)
    picture: Picture = np.take(_COLOR_OF_INK, ink, axis=0)
    return picture


class _Font:
    """The glyphs of a font, each drawn once."""

    def __init__(self, font: FreeTypeFont | ImageFont, size: int, *, has_arrows: bool) -> None:
        self.font = font
        self.cell = (round(size * 1.25), max(1, round(font.getlength("M"))))
        """Height and width in pixels."""
        self._has_arrows = has_arrows
        self._glyphs: dict[str, NDArray[np.uint8]] = {}

    def glyph(self, char: str) -> NDArray[np.uint8]:
        """Return how much ink is where: uint8 (height, width) of a cell."""
        if char not in self._glyphs:
            self._glyphs[char] = self._draw(char if self._has_arrows else char.translate(_PLAIN_ARROWS))
        return self._glyphs[char]

    def _draw(self, char: str) -> NDArray[np.uint8]:
        from PIL import Image, ImageDraw

        height, width = self.cell
        image = Image.new("L", (width, height))
        ImageDraw.Draw(image).text((0, 0), char, 255, self.font)
        return np.array(image, dtype=np.uint8)


@functools.lru_cache(maxsize=8)
def _font(name: str, size: int) -> _Font:
    from PIL import ImageFont

    try:
        return _Font(ImageFont.truetype(name or _MONOSPACED_FONT, size), size, has_arrows=True)
    except OSError as err:
        if name:
            raise UsageError(f"font_name '{name}' cannot be opened: give the path of a .ttf file") from err
        return _Font(ImageFont.load_default(size), size, has_arrows=False)


def _color_of_ink() -> NDArray[np.uint8]:
    colors = [np.linspace(paper, text, 256) for paper, text in zip(PAPER, _TEXT_COLOR, strict=True)]
    return np.stack(colors, axis=1).round().astype(np.uint8)


_COLOR_OF_INK = _color_of_ink()
"""uint8 (256, 3): the color of each amount of ink."""
