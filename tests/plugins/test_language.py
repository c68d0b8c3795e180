"""Language: detection as it is, translation with a model made on the spot (it says nothing, but is
loaded and asked as any other)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant import Message
from assistant.testing.desk import PluginDesk
from plugins.language import Language

KNOWN = {"known": ["en", "de", "fr", "nl"]}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("My invoice for October is wrong, can you check it?", "en"),
        ("Meine Rechnung für Oktober stimmt nicht, bitte prüfen.", "de"),
        ("Ma facture d'octobre est fausse, pouvez-vous vérifier ?", "fr"),
        ("Mijn factuur van oktober klopt niet, wilt u kijken?", "nl"),
        ("Error 503", None),
        ("0x80070005 0x80070006 0x80070007 0x80070008", None),
    ],
)
def test_the_language_is_told_where_it_is_sure(
    plugin_desk: PluginDesk, text: str, language: str | None
) -> None:
    plugin_desk.add("language", Language, KNOWN)

    received = plugin_desk.receive(text)

    assert (received.language, received.text) == (language, text)


def test_what_the_channel_says_of_it_stays(plugin_desk: PluginDesk, message) -> None:
    plugin_desk.add("language", Language, KNOWN)
    said: Message = replace(message("My invoice for October is wrong, look."), language="fr")

    assert plugin_desk.receive(said).language == "fr"


def test_without_settings_nothing_is_judged(plugin_desk: PluginDesk) -> None:
    plugin_desk.add("language", Language)

    assert plugin_desk.receive("My invoice for October is wrong.").language is None


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network with random weights, in a folder as transformers keeps one."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("translator")
    words = {word: n for n, word in enumerate(["<pad>", "</s>", "<unk>", "the", "bill", "wrong"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    T5ForConditionalGeneration(
        T5Config(
            vocab_size=len(words),
            d_model=16,
            d_kv=8,
            d_ff=16,
            num_layers=1,
            num_heads=2,
            decoder_start_token_id=0,
        )
    ).save_pretrained(folder)
    return folder


def test_other_languages_are_translated_and_the_articles_own_is_not(
    plugin_desk: PluginDesk, translator: Path
) -> None:
    plugin_desk.add("language", Language, {**KNOWN, "translation_model": str(translator)})
    german = "Meine Rechnung für Oktober stimmt nicht.\n\nBitte prüfen."
    english = "My invoice for October is wrong, look."

    received = plugin_desk.receive(german)

    assert received.language == "de"
    assert received.text != german
    assert set(received.text.split()) <= {"the", "bill", "wrong"}
    assert received.text.count("\n") == 2
    assert plugin_desk.receive(english).text == english
