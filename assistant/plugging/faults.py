"""What a plugin did wrong, put into words where it happened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class FaultError(Exception):
    """A plugin raised, or returned what it may not; the text says so and is fit to be shown."""


def worded(work: Callable[[], T], passing: tuple[type[Exception], ...] = ()) -> Callable[[], T]:
    """`work`, raising FaultError instead of anything but `passing`.

    Even the text of an exception is the plugin's code, so it is made in the plugin's own time.
    """

    def run() -> T:
        try:
            return work()
        except FaultError:
            raise
        except BaseException as error:  # SystemExit too: a plugin must not end the desk
            if isinstance(error, passing):
                raise
            raise FaultError(_words(error)) from None

    return run


def _words(error: BaseException) -> str:
    """`ValueError: what it says (file.py:12)`."""
    try:
        text = str(error)[:300]
    except Exception:
        text = ""
    place, step = "", error.__traceback__
    while step is not None:
        path = Path(step.tb_frame.f_code.co_filename)
        place, step = f" ({path.name}:{step.tb_lineno})", step.tb_next
    return f"{type(error).__name__}{': ' if text else ''}{text}{place}"
