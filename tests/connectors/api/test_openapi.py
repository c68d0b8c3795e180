"""The description is true: schemathesis makes requests of it, good and bad, and looks at every
answer of a real server."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from assistant.model.encoder import MultimodalEncoder
from connectors.api.openapi import describe
from connectors.api.operations import OPERATIONS
from connectors.api.service import IDEMPOTENCY_KEY
from tests.api_desk import EVERYTHING, ApiDesk

EXAMPLES = 15

schema = schemathesis.openapi.from_dict(describe(OPERATIONS))


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, encoder: MultimodalEncoder, indexed: Path
) -> Iterator[tuple[str, str]]:
    """The address of a desk that has tickets and articles, and a key for all of it."""
    folder = shutil.copytree(indexed, tmp_path_factory.mktemp("openapi") / "data")
    with ApiDesk(Path(folder), stream_seconds=0.05, max_body_mb=1) as api:
        api.desk.encoder = encoder
        with api.client() as client:
            for number in range(3):
                client.post("/messages", json={"text": f"Question {number}"})
            api.reply(3)
        yield api.url, api.key(*EVERYTHING, "tickets:all", per_minute=1_000_000)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(case: schemathesis.Case, served: tuple[str, str]) -> None:
    url, key = served
    if IDEMPOTENCY_KEY.fullmatch((case.headers or {}).get("Idempotency-Key", "")):
        # One that is used again, for something else, is rightly refused.
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if "Authorization" in (case.headers or {}):  # schemathesis leaves it out to see what happens
        case.headers["Authorization"] = f"Bearer {key}"
    case.call_and_validate(base_url=f"{url}/api")


def test_the_description_is_served(served: tuple[str, str]) -> None:
    said = httpx.get(f"{served[0]}/api/openapi.json").json()

    assert said == describe(OPERATIONS)
