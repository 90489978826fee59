"""docs/rendering.md: its blocks run one after the other, with a person who types and presses keys."""

import io

import pygame
import pytest
from markdown import ROOT, blocks
from PIL import Image

PAGE = ROOT / "docs" / "rendering.md"
TYPED = "3\n" * 60 + "q\n"
KEYS = [pygame.K_RIGHT, pygame.K_UP, pygame.K_ESCAPE]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Run the blocks in a folder of their own; return it and the values that they leave behind."""
    folder = tmp_path_factory.mktemp("page")
    values = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SDL_VIDEODRIVER", "dummy")
        pygame.quit()  # environments may have begun with another display
        for block in blocks(PAGE, "python"):
            patch.setattr("sys.stdin", io.StringIO(TYPED))
            if "replay_window" in block or "play_window" in block:
                press(KEYS)
            exec(block, values)
        pygame.quit()
    return folder, values


def press(keys):
    pygame.display.init()
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))
        pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))


def test_the_files_are_there(page):
    folder, _ = page
    names = {"grid.gif", "small.gif", "grid.avi", "grid.mp4", "grid_mjpg.avi"}
    assert {path.name for path in folder.iterdir() if path.stat().st_size > 1000} == names


def test_the_picture_of_the_page_is_what_its_block_makes(page):
    folder, _ = page
    with Image.open(folder / "grid.gif") as made, Image.open(PAGE.parent / "images" / "grid.gif") as shown:
        assert made.height == shown.height
        assert made.info["duration"] == shown.info["duration"] == 500
        assert shown.n_frames > 3


def test_what_was_played_was_learned_from(page):
    _, values = page
    assert values["runner"].state.train_count > 0


def test_every_method_of_the_table_is_one_of_runner(page):
    _, values = page
    methods = [line.split("`")[1].split("(")[0] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    for method in methods[:8]:
        assert callable(getattr(values["runner"], method)), method
