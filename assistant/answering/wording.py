"""What the customer reads around an answer."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.messages import Action, Answer, AttachmentReport

_FIXED: dict[Action, str] = {
    "ask": (
        "Thank you for writing. Could you tell us a little more: what did you want to do, and what"
        " happened instead? A screenshot of the whole window helps."
    ),
    "hand over": (
        "Thank you for writing. Our help articles do not settle this, so a person from our team"
        " takes over and will answer you here."
    ),
    "refuse": "We cannot help with this request here.",
    "solve": "",
    "ignore": "",
}


def customer_text(action: Action, answer: Answer, attachments: Sequence[AttachmentReport]) -> str:
    """The text for the customer: the answer or the fixed words of the action, and what became of
    attachments that could not be read."""
    text = answer.text if action in ("reply", "draft") else _FIXED[action]
    notes = [
        f"I could not read {report.filename}: {report.note}."
        for report in attachments
        if not report.read
    ]
    return "\n\n".join([text, *notes])
