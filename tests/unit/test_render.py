"""Render: text, pictures of text, and which of them an object has."""

import numpy as np
import pytest
from PIL import ImageFont

from srl.base import render
from srl.base.exception import SRLError
from srl.base.render import IRender, Render, text_to_image


class Speaker(IRender):
    def render_terminal(self, text="hello", **_):
        print(text)


class Painter(IRender):
    def render_rgb_array(self, **_):
        return np.full((2, 3, 3), 7.0)


def test_text_is_captured():
    assert Render(Speaker()).render_terminal_text(text="one\ntwo") == "one\ntwo\n"


def test_modes(capsys):
    shown = Render(Speaker())
    assert shown.render() is None
    shown.set_render_mode("terminal")
    assert shown.render() is None
    assert capsys.readouterr().out == "hello\n"
    shown.set_render_mode("rgb_array")
    assert shown.render().shape[2] == 3
    with pytest.raises(SRLError, match="sepia"):
        shown.set_render_mode("sepia")


def test_a_picture_is_preferred_then_text_then_nothing():
    assert Render(Painter()).render_rgb_array().tolist() == np.full((2, 3, 3), 7, np.uint8).tolist()
    assert Render(Painter()).render_rgb_array().dtype == np.uint8
    assert Render(Speaker()).render_rgb_array().any()
    assert Render(IRender()).render_rgb_array() is None
    assert Render(IRender()).render_terminal_text_to_image() is None


def test_every_character_has_a_cell_of_the_same_width():
    widths = [text_to_image(text).shape[1] for text in ("i", "ii", "MM", "i\nMM")]
    assert widths[0] < widths[1] == widths[2] == widths[3]
    assert text_to_image("a\nb").shape[0] > text_to_image("a").shape[0]
    assert text_to_image("a", font_size=40).shape[0] > text_to_image("a").shape[0]


def test_a_font_that_is_not_there():
    with pytest.raises(SRLError, match="font_name"):
        text_to_image("a", "no-such-font.ttf")


def test_without_a_monospaced_font_arrows_become_plain(monkeypatch):
    monkeypatch.setattr(render, "_MONOSPACED_FONT", "no-such-font.ttf")
    render._font.cache_clear()
    try:
        assert np.array_equal(text_to_image("←↓→↑"), text_to_image("<v>^"))
        assert isinstance(render._font("", 18).font, ImageFont.FreeTypeFont)
    finally:
        render._font.cache_clear()
