"""Renders the screenshots of the help centre and of the customers' messages.

    python examples/help-centre/screens/render.py [NAME…]

Each `[[shot]]` in `screens.toml` is one picture: a page from `pages/`, the window's size, and the
values the page shows. With names (files without their ending), only those are rendered.
Needs Chromium, the font Inter, Jinja2 and Pillow.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from PIL import Image

HERE = Path(__file__).parent
COLOURS = 128  # enough for an interface's flat areas and soft letter edges


def main(names: list[str]) -> None:
    """Renders the named shots, or all."""
    plan = tomllib.loads((HERE / "screens.toml").read_text(encoding="utf-8"))
    pages = Environment(
        loader=FileSystemLoader([HERE, HERE / "pages"]), autoescape=True, trim_blocks=True
    )
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HERE / "style.css", folder)
        for shot in plan["shot"]:
            target = (HERE / shot["file"]).resolve()
            if names and target.stem not in names:
                continue
            values = shot | {"workspace": plan["workspace"][shot.get("workspace", "northlight")]}
            page = Path(folder, "page.html")
            page.write_text(
                pages.get_template(f"{shot['page']}.html").render(values), encoding="utf-8"
            )
            photograph(page, target, *shot.get("size", (1200, 780)))
            print(f"{target.stat().st_size / 1000:5.0f} kB  {target.name}")


def photograph(page: Path, target: Path, width: int, height: int) -> None:
    """Opens the page in a headless browser and keeps what it shows as a palette PNG."""
    target.parent.mkdir(parents=True, exist_ok=True)
    raw = page.with_suffix(".png")
    subprocess.run(  # noqa: S603
        [
            shutil.which("chromium") or "chromium",
            *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--no-first-run", "--disable-background-networking"),
            *("--disable-component-update", "--disable-sync"),
            f"--user-data-dir={page.parent / 'profile'}",
            f"--window-size={width},{height}",
            f"--screenshot={raw}",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
    )
    with Image.open(raw) as picture:
        flat = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        flat.save(target, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
