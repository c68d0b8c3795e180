"""Says in which language a customer writes and, if it is asked to, translates for the search.

    [plugins.language]
    known = ["en", "de", "fr", "nl"]            # what your customers write
    translation_model = "models/opus-mt-mul-en" # a folder or a hub name; empty: no translation
    articles_in = "en"

Models and the search then see the translation; the message is stored as it came, and the answer is
in the language of the articles that it cites.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from assistant import Message, hookimpl

LONGEST = 2_000
"""Characters that are looked at, and translated."""


class Language:
    """The plugin: `[plugins.language]`; without `known` it does nothing."""

    permissions = frozenset({"tickets:read", "tickets:write"})

    class Settings(BaseModel):
        """Which languages there are, and what translates."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        known: tuple[str, ...] = Field((), description="Languages of your customers: en, de …")
        least_characters: int = Field(20, ge=1, description="Shorter messages are not judged.")
        sure_at: float = Field(0.8, ge=0, le=1, description="Less probable ones are not told.")
        translation_model: str = Field("", description="transformers model; empty: none.")
        articles_in: str = Field("en", description="What is translated into.")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()

    @hookimpl
    def message_received(self, message: Message) -> Message | None:
        """Sets `language`, unless the channel did, and translates the text if that is set up."""
        language = message.language or self.detect(message.text)
        if language is None:
            return None
        text = message.text
        if self.settings.translation_model and language != self.settings.articles_in:
            text = self.translate(text)
        return replace(message, language=language, text=text)

    def detect(self, text: str) -> str | None:
        """The language of a text, or None if that is not sure."""
        if not self.settings.known or len(text.strip()) < self.settings.least_characters:
            return None
        language, probability = self._identifier.classify(text[:LONGEST])
        return str(language) if probability >= self.settings.sure_at else None

    def translate(self, text: str) -> str:
        """The text in the articles' language, paragraph by paragraph; what is too long is left."""
        with self._lock:  # one at a time: it takes all cores
            return "\n".join(
                self._translated(line) if line.strip() else ""
                for line in text[:LONGEST].split("\n")
            )

    def _translated(self, line: str) -> str:
        tokenizer, model = self._translator
        tokens = tokenizer(line, return_tensors="pt", truncation=True)
        made = model.generate(**tokens, max_new_tokens=2 * tokens["input_ids"].shape[1] + 10)
        return str(tokenizer.decode(made[0], skip_special_tokens=True))

    @cached_property
    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        identifier.set_languages(list(self.settings.known))
        return identifier

    @cached_property
    def _translator(self) -> tuple[Any, Any]:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        name = self.settings.translation_model
        return (
            AutoTokenizer.from_pretrained(name),
            AutoModelForSeq2SeqLM.from_pretrained(name).eval(),
        )
