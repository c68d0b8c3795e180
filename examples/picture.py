"""The README's picture: the answer to one of the demo's messages, as the terminal shows it.

    make demo picture
"""

from __future__ import annotations

import sys
from pathlib import Path

from demo import DATA, EXAMPLES, answer
from rich.console import Console

from assistant import Desk
from assistant.settings import Settings

MESSAGE = EXAMPLES / "customers" / "3-screenshot-alone"


def main(picture: Path) -> None:
    console = Console(record=True, width=92, file=sys.stdout, force_terminal=True)
    with Desk(Settings(data_dir=DATA)) as desk:
        desk.warm_up()
        answer(desk, MESSAGE, console)
    picture.parent.mkdir(parents=True, exist_ok=True)
    console.save_svg(str(picture), title="deskmate ask --screenshot sign-in.png --times")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
