"""One mail server for a module; a desk of its own for each test."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from assistant.testing.mail import HOW_TO_INSTALL, MailServer, installed
from connectors.email import receiving
from tests.email_desk import EmailDesk
from tests.slack_desk import echo


@pytest.fixture(scope="module")
def module_server() -> Iterator[MailServer]:
    if not installed():
        pytest.skip(HOW_TO_INSTALL)
    # Not pytest's folder: Dovecot, as another user, has to get into it, and its paths are short.
    with (
        tempfile.TemporaryDirectory(prefix="deskmate-") as folder,
        MailServer(Path(folder)) as mail,
    ):
        yield mail


@pytest.fixture
def server(module_server: MailServer) -> MailServer:
    """A mail server with empty mailboxes, that refuses nothing."""
    module_server.empty()
    return module_server


@pytest.fixture
def run(
    server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., EmailDesk]]:
    """Starts a desk with settings of its own."""
    monkeypatch.setattr(receiving, "SENT_SECONDS", 1.0)
    with ExitStack() as stack:

        def start(answer: Any = echo, **more: Any) -> EmailDesk:
            data_dir = more.pop("data_dir", tmp_path / "data")
            return stack.enter_context(EmailDesk(server, data_dir, answer, **more))

        yield start


@pytest.fixture
def desk(run: Callable[..., EmailDesk]) -> EmailDesk:
    """A desk whose answers echo the question."""
    return run()
