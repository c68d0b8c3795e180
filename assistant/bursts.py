"""Messages that follow each other and are one question.

No channel tells us that a customer is still writing, so it is guessed. A message that looks
finished is answered after a moment. One that does not (a greeting, half a sentence, a bare
screenshot), or that came right after another, is given longer, since more is likely to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.answering import remarks
from assistant.knowledge.words import content_words
from assistant.messages import Message

MOMENT_SECONDS = 1.5
IN_A_ROW_SECONDS = 10.0
"""Who wrote within this time before a message writes piece by piece."""
TOGETHER_SECONDS = 30.0
"""What comes so long after the first message, while it is being answered, is answered with it."""

_QUESTION_WORDS, _STATEMENT_WORDS = 2, 6  # content words that make something to answer


def quiet_seconds(message: Message, *, in_a_row: bool, longest: float) -> float:
    """How long to wait for more before this message is answered, `longest` at most; `in_a_row`
    says that its author wrote just before."""
    if in_a_row or not seems_finished(message):
        return longest
    return min(MOMENT_SECONDS, longest)


def seems_finished(message: Message) -> bool:
    """Whether the message asks something in whole, so that it is not likely that more comes."""
    text = message.text.strip()
    if text.endswith((":", ",", "…", "...")):
        return False
    words = len(content_words(f"{message.subject}\n{text}"))
    enough = _QUESTION_WORDS if "?" in text else _STATEMENT_WORDS
    return words >= enough or remarks.asks_for_person(text)


def one_question(messages: Sequence[Message]) -> Message:
    """A burst of messages, oldest first, as one: it has the last one's name and sender, all
    texts and all attachments, and shows internal passages only if every sender may see them.
    What colleagues wrote before the last one is left out."""
    last = messages[-1]
    messages = [message for message in messages if message.author == last.author]
    return replace(
        last,
        text="\n\n".join(message.text for message in messages if message.text),
        subject=next((message.subject for message in messages if message.subject), ""),
        attachments=tuple(a for message in messages for a in message.attachments),
        audience="internal" if all(m.audience == "internal" for m in messages) else "public",
        language=next((m.language for m in reversed(messages) if m.language), None),
        product=next((m.product for m in reversed(messages) if m.product), None),
    )
