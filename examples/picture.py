"""The README's picture: the answer to one of the demo's screenshots, as the terminal shows it.

make demo picture
"""

from __future__ import annotations

import sys
from pathlib import Path

from demo import DATA, EXAMPLES
from rich.console import Console

from assistant import Desk
from assistant.cli.asking import show
from assistant.settings import Settings

SCREENSHOT = EXAMPLES / "customers" / "3-screenshot-alone" / "sign-in.png"


def main(picture: Path) -> None:
    console = Console(record=True, width=80, force_terminal=True)
    with Desk(Settings(data_dir=DATA)) as desk:
        show(desk.ask("", [SCREENSHOT]), console)
    picture.parent.mkdir(parents=True, exist_ok=True)
    console.save_svg(str(picture), title=f"deskmate ask --screenshot {SCREENSHOT.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
