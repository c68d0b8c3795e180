from __future__ import annotations

from pathlib import Path

from tests.console.visitor import Visitor
from tests.console_desk import ConsoleDesk


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    more = {
        "connectors": {"slack": {"bot_token": "xoxb-very-secret"}},
        "answering": {"chat_model_options": {"api_key": "sk-very-secret"}},
        "console": {"single_sign_on": {"client_secret": "also-very-secret"}},
    }
    with ConsoleDesk(tmp_path / "data", **more) as office, Visitor(office.address) as visitor:
        office.add("chief", "admin")
        visitor.log_in("chief")

        page = visitor.get("/settings").text

    assert "very-secret" not in page
    for shown in ("reply_at", "slack", "api_key", "set, not shown", "[console.single_sign_on]"):
        assert shown in page
