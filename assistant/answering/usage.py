"""How much chat models read and wrote, as they count it themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.callbacks import UsageMetadataCallbackHandler


@contextmanager
def counted(detail: dict[str, Any]) -> Iterator[None]:
    """Puts the tokens of every chat model that is called meanwhile into a step's detail, as
    `tokens_read` and `tokens_written`. Nothing is put there if none was, or if it does not count.
    """
    from langchain_core.callbacks import UsageMetadataCallbackHandler

    counter = UsageMetadataCallbackHandler()
    before = _counter().set(counter)
    try:
        yield
    finally:
        _counter().reset(before)
        if used := list(counter.usage_metadata.values()):
            detail["tokens_read"] = sum(one["input_tokens"] for one in used)
            detail["tokens_written"] = sum(one["output_tokens"] for one in used)


@cache
def _counter() -> ContextVar[UsageMetadataCallbackHandler | None]:
    """LangChain calls what stands in here. Made once: it never forgets one."""
    from langchain_core.tracers.context import register_configure_hook

    variable: ContextVar[UsageMetadataCallbackHandler | None] = ContextVar("tokens", default=None)
    register_configure_hook(variable, inheritable=True)
    return variable
