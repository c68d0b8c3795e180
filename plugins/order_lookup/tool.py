"""The tool. In a file of its own, since LangChain, which reads the annotations, takes a second to
import and nobody without a database of orders need wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from langchain_core.tools import BaseTool, InjectedToolArg, tool


def order_status_tool(find: Callable[[str, str], str]) -> BaseTool:
    """A tool that tells what `find` says of an order's number and a customer."""

    @tool
    def order_status(number: str, customer: Annotated[str, InjectedToolArg]) -> str:
        """Where an order of this customer is, by its number."""
        return find(number, customer)

    return order_status
