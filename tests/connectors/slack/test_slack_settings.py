from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from assistant import SettingsError
from connectors.slack.manifest import SCOPES, manifest
from connectors.slack.settings import for_manifest, read

SOCKET = {"staff_channel": "C1", "bot_token": "xoxb-1", "app_token": "xapp-1"}
HTTP = {
    "mode": "http",
    "staff_channel": "C1",
    "bot_token": "xoxb-1",
    "signing_secret": "s",
    "public_url": "https://desk.example",
}
OAUTH = {"client_id": "1.2", "client_secret": "s", "staff_channel": "T1/C1"}
DOCS = Path(__file__).parents[3] / "docs" / "slack.md"


def test_socket_and_http_are_one_setting_apart() -> None:
    assert read(SOCKET).mode == "socket"
    assert read({**SOCKET, **HTTP}).events_url == "https://desk.example/connectors/slack/events"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, r"connectors.slack.staff_channel: missing. Set it to the ID of your staff's channel"),
        ({**SOCKET, "app_token": ""}, r"slack.app_token: missing.*DESKMATE_CONNECTORS__SLACK__APP"),
        ({**HTTP, "signing_secret": ""}, r"connectors.slack.signing_secret: missing, and mode"),
        ({**HTTP, "public_url": ""}, r"connectors.slack.public_url: missing"),
        ({**HTTP, "public_url": "http://x"}, r"connectors.slack.public_url = 'http://x'"),
        ({**SOCKET, "mod": "http"}, r"connectors.slack.mod: no such setting. Known here: mode, "),
        ({**SOCKET, "mode": "rtm"}, r"connectors.slack.mode = 'rtm': Input should be 'socket' or"),
        ({**SOCKET, "client_id": "1"}, r"connectors.slack.public_url: missing.*with client_id"),
        (
            {**SOCKET, **OAUTH, "public_url": "https://d.example"},
            "bot_token is for one workspace and client_id for several",
        ),
        (
            {**OAUTH, "app_token": "x", "public_url": "https://d.example", "staff_channel": "C1"},
            r"staff_channel = 'C1': with several workspaces",
        ),
    ],
)
def test_a_wrong_table_says_what_to_do(table: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read(table)


def test_no_token_stands_in_an_error() -> None:
    with pytest.raises(SettingsError) as error:
        read({**SOCKET, "bot_token": ["xoxb-secret"]})

    assert "xoxb-secret" not in str(error.value)
    assert "xoxb-1" not in repr(read(SOCKET))


def test_the_manifest_asks_for_what_the_mode_needs() -> None:
    plain = manifest(None)
    by_http = manifest(for_manifest({"mode": "http", "public_url": "https://desk.example"}))
    several = manifest(for_manifest({"client_id": "1", "public_url": "https://desk.example"}))

    url = "https://desk.example/connectors/slack/events"
    assert plain["settings"]["socket_mode_enabled"]
    assert "request_url" not in json.dumps(plain)
    assert by_http["settings"]["event_subscriptions"]["request_url"] == url
    assert by_http["features"]["slash_commands"][0]["url"] == url
    assert not by_http["settings"]["socket_mode_enabled"]
    assert "app_uninstalled" in several["settings"]["event_subscriptions"]["bot_events"]
    redirects = several["oauth_config"]["redirect_urls"]
    assert redirects == ["https://desk.example/connectors/slack/oauth_redirect"]


def test_the_docs_explain_every_scope_and_setting() -> None:
    page = DOCS.read_text(encoding="utf-8")
    explained = dict(re.findall(r"^\| `([a-z_:]+)` \| (.+?) \|$", page, re.MULTILINE))

    assert {scope: explained.get(scope) for scope in SCOPES} == SCOPES
    from connectors.slack.settings import SlackSettings

    assert set(SlackSettings.model_fields) <= set(explained)


def test_the_docs_examples_are_good_settings() -> None:
    page = DOCS.read_text(encoding="utf-8")
    tables = [tomllib.loads(found) for found in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]

    for table in tables:
        read(
            {**SOCKET, "signing_secret": "s", "client_secret": "s", **table["connectors"]["slack"]}
            if "client_id" not in table["connectors"]["slack"]
            else {"app_token": "x", "client_secret": "s", **table["connectors"]["slack"]}
        )
    assert len(tables) == 3
