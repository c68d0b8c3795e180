from __future__ import annotations

import numpy as np
import pytest

from assistant.model import text, weights
from assistant.model.encoder import MultimodalEncoder
from assistant.model.text import TextTower

TEXTS = ["Download an invoice", "", "x " * 5_000, "The quota is used up.", "領収書をください"]


@pytest.fixture(scope="module")
def exact() -> TextTower:
    return TextTower(weights.find("all-MiniLM-L6-v2"), precision="float32")


def test_a_batch_gives_what_single_texts_give(exact: TextTower) -> None:
    together = exact.encode(TEXTS)

    alone = np.concatenate([exact.encode([one]) for one in TEXTS])

    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_order_of_texts_is_kept_over_many_batches(
    exact: TextTower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "TOKENS_PER_BATCH", 8)

    rows = [row for rows, _ in exact.encode_batches(TEXTS) for row in rows]

    assert sorted(rows) == list(range(len(TEXTS)))
    np.testing.assert_allclose(
        exact.encode(TEXTS)[3], exact.encode(["The quota is used up."])[0], atol=1e-5
    )


def test_vectors_have_length_one(exact: TextTower) -> None:
    np.testing.assert_allclose(np.linalg.norm(exact.encode(TEXTS), axis=1), 1, atol=1e-5)


def test_no_texts_are_no_vectors(exact: TextTower) -> None:
    assert exact.encode([]).shape == (0, 384)
    assert exact.encode_tokens([]) == []


def test_bfloat16_is_near_float32(exact: TextTower) -> None:
    rough = TextTower(weights.find("all-MiniLM-L6-v2"), precision="bfloat16")

    cosines = (exact.encode(TEXTS) * rough.encode(TEXTS)).sum(axis=1)

    assert cosines.min() > 0.995


def test_like_meanings_are_nearer_than_unlike_ones(exact: TextTower) -> None:
    bill, invoice, weather = exact.encode(["my bill", "the invoice I got", "it rains"])

    assert bill @ invoice > bill @ weather + 0.2


def test_token_vectors_stand_for_their_characters(exact: TextTower) -> None:
    words = "Error KT-4031 stops uploads"

    (tokens,) = exact.encode_tokens([words])

    assert tokens.vectors.shape == (len(tokens.spans), 384)
    assert words[tokens.spans[1, 0] : tokens.spans[1, 1]] == "Error"
    assert words[tokens.spans[-2, 0] : tokens.spans[-2, 1]] == "##s" or tokens.spans[-2, 1] == 27


def test_padding_changes_no_token_vector(exact: TextTower) -> None:
    alone = exact.encode_tokens(["short"])[0]

    beside = exact.encode_tokens(["short", "a much longer text than the other one " * 9])[0]

    np.testing.assert_allclose(alone.vectors, beside.vectors, atol=1e-4)


@pytest.mark.parametrize("odd", ["\ud800 half a pair", "\x00", "\u202e\u200b", "👩‍👩‍👧‍👦" * 500])
def test_any_characters_can_be_encoded(exact: TextTower, odd: str) -> None:
    assert np.isfinite(exact.encode([odd])).all()
    assert exact.encode_tokens([odd])[0].spans.max() <= len(odd)


def test_an_encoding_is_the_words_and_the_screens_lines(encoder: MultimodalEncoder) -> None:
    from assistant.messages import Box, ScreenLine
    from assistant.model.screenshot import Screen

    line = ScreenLine("Error KT-4031", Box(0, 0, 10, 10), 10, 0.9)

    encoding = encoder.encode(" It fails ", [Screen((line,), 100, 100)])

    assert encoding.text == "It fails\nError KT-4031"
    assert (encoding.lines, encoding.weights) == ((line,), (1.0,))
    np.testing.assert_allclose(encoding.vector, encoder.encode_texts([encoding.text])[0], atol=1e-5)


def test_nothing_can_be_encoded_too(encoder: MultimodalEncoder) -> None:
    encoding = encoder.encode("")

    assert encoding.text == ""
    assert encoding.vector.shape == (encoder.dim,)
