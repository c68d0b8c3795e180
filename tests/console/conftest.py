from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.visitor import Visitor
from tests.console_desk import ConsoleDesk


@pytest.fixture
def office(tmp_path: Path) -> Iterator[ConsoleDesk]:
    """A console without models and without people; messages are stored and not answered."""
    with ConsoleDesk(tmp_path / "data") as desk:
        yield desk


@pytest.fixture
def visitor(office: ConsoleDesk) -> Iterator[Visitor]:
    """Somebody who is not logged in."""
    with Visitor(office.address) as visitor:
        yield visitor
