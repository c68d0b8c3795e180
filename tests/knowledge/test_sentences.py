from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.knowledge.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Click Save. Then restart.", ["Click Save.", "Then restart."]),
        ("Use e.g. Chrome. It works.", ["Use e.g. Chrome.", "It works."]),
        ("Upgrade to v11.1.2 or 3.5. Done!", ["Upgrade to v11.1.2 or 3.5.", "Done!"]),
        ("See https://x.example/a.b?c=d. Go.", ["See https://x.example/a.b?c=d.", "Go."]),
        ("Open README.MD or V2.Config now.", ["Open README.MD or V2.Config now."]),
        ('Select "Save. Now" and wait.', ['Select "Save. Now" and wait.']),
        ("1. Go to Settings.\n2. Save it.", ["1. Go to Settings.", "2. Save it."]),
        ("- One\n- Two. Three.", ["- One", "- Two.", "Three."]),
        ("設定を開く。保存する！本当？", ["設定を開く。", "保存する！", "本当？"]),
        ("هل هذا سؤال؟ نعم هو كذلك.", ["هل هذا سؤال؟", "نعم هو كذلك."]),
        ("यह वाक्य है। दूसरा वाक्य।", ["यह वाक्य है।", "दूसरा वाक्य।"]),
        ("Das geht z. B. so. Gut.", ["Das geht z. B. so.", "Gut."]),
        ("", []),
        (" \n \n", []),
    ],
)
def test_sentences_and_steps(text: str, expected: list[str]):
    assert sentences(text) == expected


words = st.text(alphabet="ab 1.!?。\n\"'()-é🙂\u0301AZ", max_size=200)


@given(st.one_of(words, st.text(max_size=200)))
def test_sentences_stand_in_the_text_in_order_and_leave_no_word_out(text: str):
    position = 0
    for sentence in sentences(text):
        assert sentence == sentence.strip()
        start = text.index(sentence, position)
        assert text[position:start].strip() == ""
        position = start + len(sentence)

    assert text[position:].strip() == ""
