"""docs/plugins.md says what is so: its code runs, and its table is the contract's."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant import Reply, hooks
from assistant.plugging import Plugins

PAGE = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")
FIRST, REGISTERED, WITH_SETTINGS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_plugin_in_ten_lines_works_as_written(message, ticket) -> None:
    written_out: dict[str, object] = {}
    exec(FIRST, written_out)
    script = {
        "written_out": SimpleNamespace(message_received=written_out["message_received"]),
        "message": message("How do I set up 2FA?"),
        "ticket": ticket,
    }

    exec(REGISTERED, script)

    assert script["message"].text == "How do I set up two-factor authentication?"
    assert script["faults"] == []
    assert len([line for line in FIRST.splitlines() if line]) <= 10


@pytest.mark.parametrize(
    ("days", "reason"), [([f"{date.today():%m-%d}"], "holidays: today is a holiday"), ([], None)]
)
def test_the_plugin_with_settings_works_as_written(days: list[str], reason: str | None) -> None:
    page: dict[str, object] = {}
    exec(WITH_SETTINGS, page)
    plugins = Plugins({"holidays": {"days": days}})
    plugins.register("holidays", page["Holidays"])

    reply = Reply("r1", 1, "test", "thread", "ann@example.com", "Re: Help", "Three days.")

    assert plugins.reply_sending(reply, []) == reason


def test_the_table_of_hooks_is_the_contract() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\d+) s \|$", PAGE, re.MULTILINE)

    assert {name: float(limit) for name, limit in rows} == hooks.TIME_LIMITS_S
