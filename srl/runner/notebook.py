"""A run as an animation in a notebook."""

from __future__ import annotations

from srl.utils.usage import UsageError


def check_notebook() -> None:
    """Raise UsageError outside of a notebook."""
    try:
        from IPython import get_ipython
    except ModuleNotFoundError as error:
        raise _no_notebook() from error
    if get_ipython() is None:
        raise _no_notebook()


def display_gif(data: bytes) -> None:
    """Show an animation below the cell. The notebook keeps it: it is there when the file is opened again."""
    from IPython.display import Image, display

    display(Image(data=data, format="gif"))  # type: ignore[no-untyped-call]


def _no_notebook() -> UsageError:
    return UsageError(
        "animation_display shows the run in a notebook, and this is none: use animation_save_gif or render_window"
    )
