from __future__ import annotations

from pathlib import Path

import pytest
import torch

from assistant.errors import UnreadableError
from assistant.model import labelled
from assistant.model.encoder import MultimodalEncoder
from assistant.model.heads import Heads, lower_tokens, stack
from assistant.model.labelled import Labelled
from assistant.model.live import Live

THINGS = ("my invoice", "the March bill", "an old receipt", "our account", "the team", "it")
ASKED = {
    "refund": ("Please pay back {}", "I want my money back for {}", "Refund {} to me"),
    "sign in": ("I cannot log in to {}", "The password for {} is refused", "Sign in to {} fails"),
    "export": ("Download {} as a file", "How do I export {}", "Save {} as CSV"),
}
ELSEWHERE = ("Will it rain on Sunday", "Sing me a song", "Who won the match", "Boil an egg")


def messages() -> list[Labelled]:
    known = [
        Labelled(form.format(thing), intent, "high" if intent == "sign in" else "low")
        for intent, forms in ASKED.items()
        for form in forms
        for thing in THINGS
    ]
    return known + [Labelled(f"{text}{end}", "oos") for text in ELSEWHERE for end in ("?", "", "!")]


@pytest.fixture(scope="module")
def trained(encoder: MultimodalEncoder) -> Heads:
    training, validation = labelled.split(messages(), share=0.3)
    heads, _ = labelled.fit_heads(encoder.text, training, validation, epochs=6, patience=6)
    return heads


def test_fresh_heads_see_what_the_text_tower_sees(encoder: MultimodalEncoder) -> None:
    texts = ["Where is my invoice?", "Sync"]
    heads = Heads(encoder.text, {"intent": ("a", "b")}).eval()

    tokens = lower_tokens(encoder.text, texts, heads.lower)
    vectors = heads(*stack(tokens, torch.device("cpu")))[:, -encoder.dim :]  # [2, dim]

    whole = torch.from_numpy(encoder.encode_texts(texts))
    assert torch.cosine_similarity(vectors, whole).min() > 0.999


def test_heads_learn_what_messages_want(encoder: MultimodalEncoder, trained: Heads) -> None:
    labels = trained.label(
        encoder.text, ["Please give me my money back", "My password is not accepted"]
    )

    assert [own.intent for own in labels] == ["refund", "sign in"]
    assert [own.priority for own in labels] == ["low", "high"]
    assert all(0 <= own.out_of_scope <= 1 for own in labels)


def test_what_is_not_for_this_desk_looks_stranger(
    encoder: MultimodalEncoder, trained: Heads
) -> None:
    known, strange = trained.label(encoder.text, ["Refund the bill", "Will it snow in Rome?"])

    assert strange.out_of_scope > known.out_of_scope
    assert known.in_scope
    assert not strange.in_scope


def test_trained_heads_label_what_a_desk_encodes(
    encoder: MultimodalEncoder, trained: Heads, tmp_path: Path
) -> None:
    live = Live(tmp_path, "all-MiniLM-L6-v2")
    live.put("heads", trained.state_dict(), {"labels": trained.labels})
    other = MultimodalEncoder()

    live.into(other)

    labels = other.encode("Please give me my money back").labels
    assert labels == trained.label(encoder.text, ["Please give me my money back"])[0]
    assert encoder.encode("Please give me my money back").labels is None


def test_weights_for_another_text_model_are_not_used(trained: Heads, tmp_path: Path) -> None:
    Live(tmp_path, "another").put("heads", trained.state_dict(), {"labels": trained.labels})

    assert Live(tmp_path, "all-MiniLM-L6-v2").load("heads") is None


def test_labelled_messages_are_read_from_csv_and_json_lines(tmp_path: Path) -> None:
    table, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    table.write_text('text,intent,priority\n"No, thanks",refund,low\nHi,oos,\n')
    lines.write_text(
        '{"text": "No, thanks", "intent": "refund", "priority": "low"}\n'
        '{"text": "Hi", "intent": "oos"}\n'
    )

    assert labelled.read(table) == labelled.read(lines)
    assert [message.in_scope for message in labelled.read(table)] == [True, False]


def test_a_message_without_an_intent_is_named_by_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,intent\nHello,greeting\nAnd now,\n")

    with pytest.raises(UnreadableError, match="row 2"):
        labelled.read(tmp_path / "a.csv")


def test_the_validation_part_is_the_same_whatever_the_order() -> None:
    _, once = labelled.split(messages(), share=0.3)
    _, again = labelled.split(messages()[::-1], share=0.3)

    assert {message.text for message in once} == {message.text for message in again}
    assert {message.intent for message in once} == {*ASKED, "oos"}
