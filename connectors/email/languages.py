"""Which language a text is in, where that is beyond doubt."""

from __future__ import annotations

from functools import cache
from typing import Any

SHORTEST = 40  # characters; of less, nothing is beyond doubt
SURE = 0.95
SAMPLE = 2_000


def of(text: str) -> str | None:
    """The language's code (ISO 639-1), or None if it is not sure."""
    sample = " ".join(text.split())[:SAMPLE]
    if len(sample) < SHORTEST:
        return None
    language, probability = _identifier().classify(sample)
    return str(language) if probability >= SURE else None


def differ(question: str | None, answer: str) -> str:
    """Why an answer is in the wrong language, for a question in this one; empty if it is not."""
    other = of(answer)
    if question and other and other != question:
        return f"the customer writes in {question!r}, and the answer is in {other!r}"
    return ""


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
