"""A desk of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from assistant.testing.mail import MailServer
from tests.channel_desk import echo
from tests.email_desk import EmailDesk


@pytest.fixture
def run(server: MailServer, tmp_path: Path) -> Iterator[Callable[..., EmailDesk]]:
    """Starts a desk with settings of its own."""
    with ExitStack() as stack:

        def start(answer: Any = echo, **more: Any) -> EmailDesk:
            data_dir = more.pop("data_dir", tmp_path / "data")
            return stack.enter_context(EmailDesk(server, data_dir, answer, **more))

        yield start


@pytest.fixture
def desk(run: Callable[..., EmailDesk]) -> EmailDesk:
    """A desk whose answers echo the question."""
    return run()
