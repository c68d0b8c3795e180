from __future__ import annotations

from pathlib import Path

import pytest

from assistant.model.live import Live
from tests.cli.conftest import Run

LABELLED = "text,intent\n" + "".join(
    f"{form.format(thing)},{intent}\n"
    for intent, forms in {
        "refund": ("Please pay back {}", "I want my money back for {}", "Refund {} to me"),
        "sign in": ("I cannot log in to {}", "The password for {} fails", "Sign in to {} fails"),
    }.items()
    for form in forms
    for thing in ("my invoice", "the March bill", "an old receipt", "our account", "the team")
)


def test_without_enough_solved_tickets_it_says_how_many_are_needed(
    run: Run, indexed_here: Path
) -> None:
    run("db", "upgrade")

    ran = run("train")

    assert ran.code == 1
    assert "0 solved tickets whose answer cites an article, and at least 40 are needed" in ran.err


def test_heads_are_trained_from_a_file_shown_and_taken_back(
    run: Run, indexed_here: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = indexed_here / "labelled.csv"
    file.write_text(LABELLED)

    trained = run("train", "--labelled", file)
    status = run("train", "--status")

    live = Live(data_dir / "trained", "all-MiniLM-L6-v2")
    assert "heads: accuracy" in trained.out
    assert ("in use from the next start on" in trained.out) == (live.load("heads") is not None)
    assert (data_dir / "trained" / "report.md").read_text().startswith("# Training report")
    assert (data_dir / "trained" / "heads.png").is_file()
    assert "heads: accuracy" in status.out

    reset = run("train", "--reset")

    assert "heads" in reset.out
    assert live.load("heads") is None
    assert "nothing was trained here" in run("train", "--status").out


def test_an_intent_with_few_messages_is_named(run: Run, indexed_here: Path) -> None:
    file = indexed_here / "labelled.csv"
    file.write_text(LABELLED + "Give me a discount,discount\n")

    ran = run("train", "--labelled", file)

    assert ran.code == 1
    assert "discount (1)" in ran.err
