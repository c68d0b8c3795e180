"""One desk with its API for a module; each test has keys and conversations of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api_desk import ApiDesk, echo


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiDesk]:
    folder = tmp_path_factory.mktemp("api")
    with ApiDesk(folder, stream_seconds=20, max_body_mb=1) as desk:
        yield desk


@pytest.fixture
def api(shared_api: ApiDesk) -> ApiDesk:
    """A desk whose answers echo the question; a test may set another `answer`."""
    shared_api.answer = echo
    return shared_api


@pytest.fixture
def backend(api: ApiDesk) -> Iterator[httpx.Client]:
    """A company's own program, with a key for everything it may do itself."""
    with api.client() as client:
        yield client
