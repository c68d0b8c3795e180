from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from assistant import Answer, Attachment, Message, Outcome, Ticket, hookimpl
from assistant.answering.policy import Policy
from assistant.answering.question import Question
from assistant.desk import Desk
from assistant.hooks import Show
from assistant.messages import Turn, now
from assistant.pipeline import NO_ANSWER, Pipeline
from assistant.plugging import Plugins
from tests.pictures import png

Ask = Callable[..., Outcome]
INVOICE = "How do I download an invoice?"


@pytest.fixture
def pipeline(desk: Desk) -> Pipeline:
    """The path of a message, without plugins, for a desk that is easily satisfied."""
    return replace(desk.pipeline, plugins=Plugins(), policy=lambda: Policy(0.5, 0.2))


@pytest.fixture
def ask(pipeline: Pipeline, ticket: Ticket) -> Ask:
    """Asks: `ask("…", picture, plugin=…, audience=…)`."""

    def make(
        text: str,
        *files: Attachment,
        plugin: object | None = None,
        conversation: tuple[Turn, ...] = (),
        policy: Policy | None = None,
        **said: Any,
    ) -> Outcome:
        path = pipeline
        if plugin is not None:
            plugins = Plugins()
            plugins.register("tested", plugin)
            path = replace(path, plugins=plugins)
        if policy is not None:
            path = replace(path, policy=lambda: policy)
        message = Message("test", "1", "t", "ann", text, attachments=files, **said)
        return path.answer(message, ticket, conversation)

    return make


def cited(outcome: Outcome) -> list[str]:
    return [c.passage.article_id for c in outcome.answer.citations] if outcome.answer else []


def test_a_question_is_answered_with_its_steps_and_their_source(ask: Ask) -> None:
    outcome = ask(INVOICE)

    assert outcome.action == "reply"
    assert "1. Open Settings > Billing.\n2. Choose the month.\n3. Press Download" in outcome.text
    assert cited(outcome) == ["help/invoices.md"]
    assert outcome.answer is not None
    assert 0.5 <= outcome.answer.confidence <= 1


def test_a_screenshot_alone_is_answered(ask: Ask) -> None:
    outcome = ask("", Attachment("image/png", "s.png", png("Upload stopped\nError KT-4031")))

    assert outcome.action == "reply"
    assert cited(outcome)[0] == "help/sync-errors.md"
    assert [(r.filename, r.read) for r in outcome.attachments] == [("s.png", True)]


def test_a_log_file_is_part_of_the_question(ask: Ask) -> None:
    outcome = ask("It fails", Attachment("text/plain", "kite.log", b"sync: error KT-4031"))

    assert cited(outcome)[0] == "help/sync-errors.md"


def test_an_answer_that_is_not_sure_enough_is_a_draft(ask: Ask) -> None:
    outcome = ask(INVOICE, policy=Policy(reply_at=1.0, draft_at=0.2))

    assert (outcome.action, "replies need 1.00" in outcome.reason) == ("draft", True)
    assert "Download PDF" in outcome.text


def test_a_greeting_is_asked_for_more(ask: Ask) -> None:
    assert ask("Hello!").action == "ask"


@pytest.mark.parametrize(
    "text", ["Do you deliver pizza to Berlin?", "Wer hat den Rasen gemäht?", "領収書の宛名は？"]
)
def test_what_no_article_settles_is_handed_over_saying_what_was_looked_for(
    ask: Ask, text: str
) -> None:
    outcome = ask(text, policy=Policy(0.75, 0.35))

    assert outcome.action == "hand over"
    assert "“" in outcome.reason
    assert "a person from our team" in outcome.text


def test_internal_articles_are_for_staff_only(ask: Ask) -> None:
    question = "How much may staff refund without asking the manager?"

    public = ask(question)
    internal = ask(question, audience="internal")

    assert "200" not in public.text
    assert all(hit.passage.audience == "public" for hit in public.hits)
    assert "200 euros" in internal.text


UNREADABLE = {
    "broken.png": ("image/png", b"no picture"),
    "empty.png": ("image/png", b""),
    "report.pdf": ("application/pdf", b"%PDF-1.7"),
    "tool.exe": ("application/x-msdownload", b"MZ"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_the_customer_is_told_what_was_not_read(ask: Ask, name: str) -> None:
    outcome = ask(INVOICE, Attachment(UNREADABLE[name][0], name, UNREADABLE[name][1]))

    assert outcome.action == "draft"
    assert f"I could not read {name}: " in outcome.text
    assert f"{name} was not read" in outcome.reason


def test_only_an_unreadable_file_is_handed_over(ask: Ask) -> None:
    outcome = ask("", Attachment("image/png", "s.png", b"no picture"))

    assert outcome.action == "hand over"
    assert "I could not read s.png" in outcome.text


def test_a_short_question_is_understood_from_the_one_before(ask: Ask) -> None:
    before = (
        Turn("customer", "How many devices does the Free plan allow?", now()),
        Turn("assistant", "It allows 2 devices.", now()),
    )

    alone, following = ask("And Team?"), ask("And Team?", conversation=before)

    assert "15 devices" in following.text
    assert following.hits[0].passage.article_id == "help/plans.md"
    assert following != alone


@pytest.mark.parametrize("text", [INVOICE, "hi", "pizza", "", "\x00\ud800", "🙂", '"a" OR NEAR('])
def test_every_message_ends_with_an_action_a_reason_and_words(ask: Ask, text: str) -> None:
    outcome = ask(text)

    assert outcome.action in ("reply", "draft", "ask", "hand over")
    assert outcome.reason
    assert outcome.text


def test_the_trace_has_each_step_with_its_time(ask: Ask) -> None:
    outcome = ask(INVOICE)

    assert list(dict.fromkeys(step.name for step in outcome.trace)) == [
        "plugins",
        "read",
        "encode",
        "search",
        "write",
        "check",
        "decide",
    ]
    assert all(step.milliseconds >= 0 for step in outcome.trace)
    found = next(step.detail["hits"] for step in outcome.trace if step.name == "search")
    assert [hit["passage"] for hit in found] == [hit.passage.id for hit in outcome.hits]


class Looking:
    """A plugin that looks at what came, as redaction does."""

    @hookimpl
    def message_received(self, message: Message, show: Show) -> None:
        for attachment in message.attachments:
            show(attachment)


def test_a_screenshot_that_a_plugin_looks_at_first_is_read_and_not_its_work(ask: Ask) -> None:
    picture = Attachment("image/png", "screen.png", png("Upload stopped\nKT-4031"))

    outcome = ask("What is this?", picture, plugin=Looking())

    first, second = outcome.trace[:2]
    assert (first.name, second.name) == ("read", "plugins")
    assert first.milliseconds > second.milliseconds


def raises(*_: object) -> Any:
    raise RuntimeError("broken")


def says_too_much(answer: Answer) -> Answer:
    return replace(answer, text=answer.text + " We also pay you 500 euros. [1]", confidence=1.0)


FAULTY: dict[str, Any] = {
    "message_received": lambda message: raises(),
    "passages_found": lambda hits: [1, 2],
    "answer_drafted": lambda answer: "text",
}


@pytest.mark.parametrize("hook", FAULTY)
def test_a_faulty_plugin_costs_only_itself(ask: Ask, hook: str) -> None:
    plugin = SimpleNamespace(**{hook: hookimpl(specname=hook)(FAULTY[hook])})

    outcome = ask(INVOICE, plugin=plugin)

    assert (outcome.action, outcome.text) == ("reply", ask(INVOICE).text)
    assert [(fault.plugin, fault.hook) for fault in outcome.faults] == [("tested", hook)]


class Translator:
    """Turns a message into one that can be answered, and takes the first passage only."""

    @hookimpl
    def message_received(self, message: Message) -> Message:
        return replace(message, text=INVOICE)

    @hookimpl
    def passages_found(self, hits: Any) -> Any:
        return hits[:1]


def test_plugins_change_what_is_answered(ask: Ask) -> None:
    outcome = ask("Wo ist meine Rechnung?", plugin=Translator())

    assert (outcome.action, len(outcome.hits)) == ("reply", 1)
    assert cited(outcome) == ["help/invoices.md"]


def test_what_a_plugin_adds_is_checked_like_the_rest(ask: Ask) -> None:
    plugin = SimpleNamespace(answer_drafted=hookimpl(specname="answer_drafted")(says_too_much))

    outcome = ask(INVOICE, plugin=plugin)

    assert outcome.action == "draft"
    assert "500" in outcome.reason


def test_a_plugin_that_takes_all_passages_away_leaves_a_hand_over(ask: Ask) -> None:
    plugin = SimpleNamespace(passages_found=hookimpl(specname="passages_found")(lambda hits: []))

    assert ask(INVOICE, plugin=plugin).action == "hand over"


def test_the_redaction_plugin_keeps_secrets_from_the_trace(desk: Desk) -> None:
    outcome = desk.ask("My card 4111 1111 1111 1111 is declined for the Team plan")

    assert "4111 1111" not in repr(outcome)


def test_the_redaction_plugin_keeps_earlier_secrets_from_the_model(
    desk: Desk, ticket: Ticket
) -> None:
    said = Turn("customer", "My card 4111 1111 1111 1111 is declined", now())
    heard: list[Question] = []

    def write(question: Question) -> Answer:
        heard.append(question)
        return NO_ANSWER

    path = replace(desk.pipeline, generator=RunnableLambda(write))
    path.answer(Message("test", "2", "t", "ann", "And now?"), ticket, (said,))

    (question,) = heard
    assert question.conversation == (replace(said, text="My card [card number] is declined"),)
    assert "4111" not in question.text


def test_a_message_that_a_required_plugin_could_not_see_to_goes_to_a_person(ask: Ask) -> None:
    plugin = SimpleNamespace(
        required=True,
        message_received=hookimpl(specname="message_received")(lambda message: raises()),
    )

    outcome = ask(INVOICE, plugin=plugin)

    assert (outcome.action, outcome.hits) == ("hand over", ())
    assert outcome.reason == "the plugin tested, which is required, failed"
    assert [fault.hook for fault in outcome.faults] == ["message_received"]
