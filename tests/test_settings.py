from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.settings import Settings, load
from assistant.settings_file import commented


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `deskmate.toml` is looked for."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "deskmate.toml"


def test_without_a_file_everything_has_its_default(write: Path) -> None:
    settings = load()

    assert settings.data_dir == Path(".deskmate")
    assert settings.resolved_database_url == "sqlite:///.deskmate/deskmate.sqlite"


def test_the_file_is_read(write: Path) -> None:
    write.write_text('data_dir = "d"\n[knowledge]\npassage_words = 50\n')

    settings = load()

    assert (settings.data_dir, settings.knowledge.passage_words) == (Path("d"), 50)


def test_a_file_from_a_windows_editor_is_read(write: Path) -> None:
    write.write_bytes(b"\xef\xbb\xbf[inbox]\r\nconcurrency = 4\r\n")

    assert load().inbox.concurrency == 4


def test_a_variable_wins_over_the_file_and_leaves_its_neighbours(
    write: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write.write_text("[policy]\nreply_at = 0.9\ndraft_at = 0.1\n")
    monkeypatch.setenv("DESKMATE_POLICY__REPLY_AT", "0.8")

    policy = load().policy

    assert (policy.reply_at, policy.draft_at) == (0.8, 0.1)


def test_a_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "other.toml"
    file.write_text("max_attachment_mb = 3\n")
    monkeypatch.setenv("DESKMATE_CONFIG", str(file))

    assert load().max_attachment_mb == 3


def test_lists_and_tables_in_variables_are_json(
    write: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKMATE_DISABLED_PLUGINS", '["redaction"]')
    monkeypatch.setenv("DESKMATE_ANSWERING__CHAT_MODEL_OPTIONS", '{"timeout": 3}')

    settings = load()

    assert settings.disabled_plugins == ["redaction"]
    assert settings.answering.chat_model_options == {"timeout": 3}


def test_plugins_and_connectors_have_tables_of_their_own(
    write: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write.write_text('[plugins.order-lookup]\nurl = "x"\n[connectors.folder]\npath = "in"\n')
    monkeypatch.setenv("DESKMATE_CONNECTORS__FOLDER__PATH", "elsewhere")

    settings = load()

    assert settings.plugins == {"order-lookup": {"url": "x"}}
    assert settings.connectors == {"folder": {"path": "elsewhere"}}


IN_THE_FILE = {
    "answr = 1": ["deskmate.toml: answr: no such setting", "answering"],
    "[knowledge]\nwords = 1": ["deskmate.toml: knowledge.words: no such", "passage_words"],
    "[knowledge]\npassage_words = 5": ["knowledge.passage_words = 5", "greater than or equal"],
    "[policy]\nreply_at = nan": ["policy.reply_at = nan"],
    '[model]\nprecision = "half"': ["model.precision = 'half'", "'bfloat16'"],
    "knowledge = 5": ["deskmate.toml: knowledge = 5", "dictionary"],
    "[plugins]\nredaction = 3": ["deskmate.toml: plugins.redaction: ", "dictionary"],
    "a = 1\nb = 2": ["deskmate.toml: a: no such", "deskmate.toml: b: no such"],
    "data_dir = = 1": ["deskmate.toml: not valid TOML", "line 1"],
}


@pytest.mark.parametrize("content", IN_THE_FILE)
def test_what_is_wrong_in_the_file_is_named(write: Path, content: str) -> None:
    write.write_text(content)

    with pytest.raises(SettingsError) as caught:
        load()

    for part in IN_THE_FILE[content]:
        assert part in str(caught.value)


def test_a_file_in_another_encoding_is_named(write: Path) -> None:
    write.write_bytes('data_dir = "bücher"'.encode("latin-1"))

    with pytest.raises(SettingsError, match=r"deskmate.toml: not valid TOML"):
        load()


IN_VARIABLES = {
    ("DESKMATE_ANSWR", "1"): ["DESKMATE_ANSWR: no such setting", "DESKMATE_ANSWERING"],
    ("DESKMATE_ANSWERING__MODEL", "x"): ["DESKMATE_ANSWERING__MODEL: no such", "chat_model"],
    ("DESKMATE_DATA_DIR__NAME", "x"): ["DESKMATE_DATA_DIR__NAME", "holds one value"],
    ("DESKMATE_POLICY__REPLY_AT", "2"): ["DESKMATE_POLICY__REPLY_AT = '2'", "less than"],
    ("DESKMATE_INBOX__CONCURRENCY", "many"): ["DESKMATE_INBOX__CONCURRENCY = 'many'", "integer"],
    ("DESKMATE_DISABLED_PLUGINS", "redaction"): ["DESKMATE_DISABLED_PLUGINS", "not JSON", '["a"'],
    ("DESKMATE_KNOWLEDGE", "x"): ["DESKMATE_KNOWLEDGE = 'x'", "not JSON"],
}


@pytest.mark.parametrize("variable", IN_VARIABLES, ids=lambda variable: variable[0])
def test_what_is_wrong_in_a_variable_is_named(
    write: Path, monkeypatch: pytest.MonkeyPatch, variable: tuple[str, str]
) -> None:
    monkeypatch.setenv(*variable)

    with pytest.raises(SettingsError) as caught:
        load()

    for part in IN_VARIABLES[variable]:
        assert part in str(caught.value)


@pytest.mark.parametrize("named", ["missing.toml", "."])
def test_a_named_file_that_is_none_is_an_error(write: Path, named: str) -> None:
    with pytest.raises(SettingsError, match=r"no such file\. `deskmate init` writes one"):
        load(Path(named))


def test_the_commented_file_says_the_defaults(write: Path) -> None:
    options = re.sub(r"^# (\w+ = )", r"\1", commented(), flags=re.M)

    write.write_text(options)

    assert load() == Settings()
    assert "passage_words" in tomllib.loads(options)["knowledge"]


def test_the_commented_file_as_it_is_changes_nothing(write: Path) -> None:
    write.write_text(commented())

    assert load() == Settings()


def test_the_commented_file_describes_every_option() -> None:
    lines = commented().splitlines()

    options = [n for n, line in enumerate(lines) if re.match(r"# \w+ = ", line)]

    assert len(options) > 15
    assert all(lines[n - 1].startswith("# ") and len(lines[n - 1]) > 20 for n in options)


def test_drafts_may_not_need_more_confidence_than_replies(write: Path) -> None:
    write.write_text("[policy]\ndraft_at = 0.9\nreply_at = 0.8\n")

    with pytest.raises(SettingsError, match=r"draft_at 0\.9 is above reply_at 0\.8"):
        load()
