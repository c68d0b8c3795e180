"""The response generator: a LangChain Runnable from a Question to an Answer.

With a chat model it writes from the passages; without one, the composer puts the passages' own
sentences together. Both are checked by `grounding` afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assistant.answering import prompts
from assistant.answering.composer import Composer
from assistant.answering.question import Question
from assistant.articles import Hit
from assistant.errors import AnsweringError, SettingsError
from assistant.knowledge.sentences import sentences
from assistant.knowledge.words import covered
from assistant.messages import Answer, Citation

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

    from assistant.answering.toolbox import Call, Choose
    from assistant.tools import Tool

TOOL_ROUNDS = 4

_MARK = re.compile(r"\[(\d+(?:\s*,\s*\d+)*)\]")
_REFUSAL = re.compile(rf"\W*{prompts.REFUSED}\b")  # models like to add a full stop or asterisks


class RefusedError(AnsweringError):
    """The chat model says that this is nothing for a support desk to answer."""


def embedded(composer: Composer) -> Runnable[Question, Answer]:
    """The default generator, which needs no chat model."""
    from langchain_core.runnables import RunnableLambda

    return RunnableLambda(composer.compose, name="compose")


def with_chat_model(model: BaseChatModel) -> Runnable[Question, Answer]:
    """A generator that lets `model` write from the passages with numbered citations.

    Raises, when invoked, AnsweringError if the model fails and RefusedError if it refuses.
    """
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.runnables import RunnableLambda

    prompt = ChatPromptTemplate.from_messages(
        [("system", prompts.SYSTEM), ("human", prompts.QUESTION)]
    )
    write = prompt | model | StrOutputParser()

    def answer(question: Question) -> Answer:
        if not question.hits:
            return Answer("", (), 0.0)
        with _explained():
            text = write.invoke(_material(question))
        return read_answer(text, question.hits)

    return RunnableLambda(answer, name="write")


def choosing(model: BaseChatModel) -> Choose:
    """Lets `model` call tools for a question, in at most a few rounds; what it says beside is
    dropped, since the answer is written afterwards from passages and results alike.

    Raises, when called, AnsweringError if the model fails or cannot call tools.
    """
    from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage

    def choose(question: Question, tools: Sequence[Tool], call: Call) -> None:
        asked = prompts.QUESTION.format_map(_material(question))
        said: list[BaseMessage] = [SystemMessage(prompts.TOOLS), HumanMessage(asked)]
        for _ in range(TOOL_ROUNDS):
            with _explained():
                answer = model.bind_tools([tool.tool for tool in tools]).invoke(said)
            if not answer.tool_calls:
                return
            said.append(answer)
            for wanted in answer.tool_calls:
                result = call(wanted["name"], wanted["args"])
                text = f"{result.state}: {result.text}"
                said.append(ToolMessage(text, tool_call_id=wanted["id"]))

    return choose


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # every provider raises its own kinds
        raise AnsweringError(
            f"The chat model failed: {type(error).__name__}: {error}."
            " Check answering.chat_model, its options, and that its server runs."
        ) from error


def load_chat_model(name: str, options: Mapping[str, Any]) -> BaseChatModel:
    """The chat model that `answering.chat_model` names, such as `openai:gpt-5` or `ollama:qwen3`.

    Raises SettingsError if it is unknown or its package is not installed.
    """
    from langchain.chat_models import init_chat_model

    try:
        model: BaseChatModel = init_chat_model(name, **options)
    except ImportError as error:
        raise SettingsError(
            f"answering.chat_model = {name!r}: {error}. Providers come as extras, for example"
            " `pip install deskmate[openai]`."
        ) from error
    except Exception as error:  # every provider has its own errors for a missing key or wrong value
        raise SettingsError(
            f"answering.chat_model = {name!r}: {error}"
            " Check answering.chat_model_options and the provider's variables, such as its API key."
        ) from error
    return model


def read_answer(text: str, hits: tuple[Hit, ...]) -> Answer:
    """A chat model's text as an Answer: marks that point to no passage are dropped, the others
    numbered in the order of their appearance. Empty if it says the sources do not settle it."""
    text = text.strip()
    if _REFUSAL.match(text):
        raise RefusedError("The chat model says that this is not for a support desk to answer.")
    if not text or prompts.NOT_IN_SOURCES in text:
        return Answer("", (), 0.0)
    order: dict[int, int] = {}

    def renumbered(match: re.Match[str]) -> str:
        numbers = [int(number) for number in match.group(1).split(",")]
        known = [number for number in numbers if 1 <= number <= len(hits)]
        return "".join(f"[{order.setdefault(number, len(order) + 1)}]" for number in known)

    text = _MARK.sub(renumbered, text)
    citations = tuple(
        Citation(number, hits[old - 1].passage, _quote(text, number, hits[old - 1]))
        for old, number in order.items()
    )
    return Answer(text, citations, 0.0)


def _quote(text: str, number: int, hit: Hit) -> str:
    """The sentence of the passage that is nearest to what the answer says with this number."""
    said = "\n".join(line for line in re.split(r"\n|(?<=\])\s+", text) if f"[{number}]" in line)
    return max(sentences(hit.passage.text), key=lambda own: covered(own, said), default="")


def _material(question: Question) -> dict[str, str]:
    passages = "\n\n".join(
        f"[{number}] {' > '.join(hit.passage.heading_path)}\n{hit.passage.text}"
        for number, hit in enumerate(question.hits, 1)
    )
    turns = "\n".join(f"{turn.author}: {turn.text}" for turn in question.conversation)
    return {
        "passages": passages,
        "conversation": turns or "(none)",
        "message": question.text or "(no words, only screenshots)",
        "screenshots": "\n".join(line.text for line in question.encoding.lines) or "(none)",
    }
