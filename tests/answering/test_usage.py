"""Tokens are counted by the chat model itself, whoever calls it."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.answering import generator
from assistant.answering.generator import RefusedError
from assistant.answering.usage import counted
from tests.answering.chat_server import ChatServer


@pytest.fixture
def model(chat: ChatServer) -> Any:
    options = {"base_url": chat.url, "api_key": "none", "max_retries": 0, "timeout": 20}
    return generator.load_chat_model("openai:some-model", options)


def test_all_calls_within_a_step_are_added_up(model: Any) -> None:
    detail: dict[str, Any] = {}

    with counted(detail):
        model.invoke("one")
        model.bind(temperature=0).invoke("two")
    model.invoke("three, after it")

    assert detail == {"tokens_read": 2, "tokens_written": 2}


def test_a_refusal_costs_what_was_asked_for_it(model: Any) -> None:
    detail: dict[str, Any] = {}

    def refused() -> None:
        with counted(detail):
            model.invoke("one")
            raise RefusedError

    with pytest.raises(RefusedError):
        refused()

    assert detail["tokens_read"] == 1


def test_without_a_chat_model_nothing_is_counted() -> None:
    detail: dict[str, Any] = {}

    with counted(detail):
        pass

    assert detail == {}
