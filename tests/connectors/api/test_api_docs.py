"""docs/api.md says what is so: its commands run as written, and its tables are the code's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from assistant.events import EventKind
from assistant.model.encoder import MultimodalEncoder
from assistant.settings import Settings
from assistant.tickets.api_keys import SCOPES
from connectors.api.settings import ApiSettings, read
from plugins.webhooks import TOLD, Webhooks
from plugins.webhooks.delivering import PAUSES_SECONDS
from tests.api_desk import ApiDesk
from tests.pictures import png

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
TABLES = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
DESKMATE = """
deskmate() {{ "{python}" -c '
import typer
from connectors.api import plugin
app = typer.Typer()
plugin.register_commands(app)
app()' "$@"; }}
"""


def test_every_command_runs_as_written(data_dir: Path, encoder: MultimodalEncoder) -> None:
    settings = {"policy": {"reply_at": 0.2, "draft_at": 0.1}}
    with ApiDesk(data_dir, answer=None, settings=settings) as api:
        api.desk.encoder = encoder
        (data_dir / "screen.png").write_bytes(png("Upload stopped\nKT-4031"))
        script = DESKMATE.format(python=sys.executable) + "\n".join(COMMANDS)
        script = script.replace("DESK=http://127.0.0.1:8080", f"DESK={api.url}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=data_dir,
            env={**os.environ, "DESKMATE_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "event: reply.sent" in done.stdout
    assert "the disk quota of your account is used up" in done.stdout
    assert '"api":"1"' in done.stdout
    assert "revoked" not in done.stdout.split("dk_")[0]
    (feedback,) = api.tickets.feedback.of_ticket(1)
    assert feedback.comment == "That was it."
    keys = {key.name: key for key in api.tickets.api_keys.list()}
    assert keys["shop backend"].revoked_at is not None
    assert keys["chat widget"].public


def first_column(heading: str) -> set[str]:
    """What stands in code in the first column of the table after this heading."""
    _, _, after = PAGE.partition(heading)
    rows = after.partition("\n|---|---|\n")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| `([^`]+)`", rows, re.MULTILINE))


def test_the_tables_are_the_codes() -> None:
    assert first_column("## Follow the answer") == set(EventKind.__args__)  # type: ignore[attr-defined]
    assert first_column("## Keys") == set(SCOPES)
    assert first_column("## Settings") == set(ApiSettings.model_fields)
    assert set(EventKind.__args__) - set(TOLD) == {"answer.step"}  # type: ignore[attr-defined]


def test_the_settings_shown_can_be_set() -> None:
    connectors, webhooks = (Settings(**table) for table in TABLES)

    assert read(connectors.connectors["api"]) == ApiSettings()
    shown = Webhooks.Settings.model_validate(webhooks.plugins["webhooks"])
    assert set(shown.endpoints["shop"].events) < set(TOLD)


def test_the_pauses_are_those_it_says() -> None:
    minutes, hours = 60, 3_600
    said = [5, 5 * minutes, 30 * minutes, *(hours * n for n in (2, 5, 10, 14, 20, 24))]

    assert list(PAUSES_SECONDS) == said
