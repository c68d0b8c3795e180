from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.slack import mrkdwn


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("see https://a.example/x?b=1&c=2.", "see <https://a.example/x?b=1&amp;c=2>."),
        ("(https://a.example/)", "(<https://a.example/>)"),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_text_is_shown_as_it_is_and_addresses_are_links(written: str, shown: str) -> None:
    assert mrkdwn.with_links(written) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/x", "<https://a.example/x|a &lt;b&gt; ¦ c>"),
        ("javascript:alert(1)", "a &lt;b&gt; | c"),
        ("https://a.example/|<!here>", "a &lt;b&gt; | c"),
        ("", "a &lt;b&gt; | c"),
    ],
)
def test_only_addresses_of_the_web_become_links(url: str, shown: str) -> None:
    assert mrkdwn.link(url, "a <b> | c") == shown


@pytest.mark.parametrize(
    ("post", "words"),
    [
        ("<@UBOT> it fails &lt;here&gt; &amp; now", "it fails <here> & now"),
        ("<@U1> said <#C1|help>: <!here>", "@Ana said #help: @here"),
        (
            "<https://a.example/|docs> and <https://b.example/>",
            "docs (https://a.example/) and https://b.example/",
        ),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<!subteam^S1|@helpers>", "@helpers"),
        ("1 &lt; 2", "1 < 2"),
    ],
)
def test_a_posts_text_is_read_in_words(post: str, words: str) -> None:
    assert mrkdwn.plain(post, {"U1": "Ana"}.get, "UBOT") == words  # type: ignore[arg-type]


@given(st.text())
def test_what_is_escaped_reads_as_it_was(text: str) -> None:
    escaped = mrkdwn.escape(text)

    assert "<" not in escaped
    assert ">" not in escaped
    assert mrkdwn.plain(escaped, str) == text.strip()


@given(st.text(alphabet="ab. \n<&"), st.integers(1, 30))
def test_pieces_are_short_and_together_the_text(text: str, longest: int) -> None:
    pieces = mrkdwn.split(text, longest)

    assert all(len(piece) <= longest for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_pieces_end_with_paragraphs_before_lines_before_words() -> None:
    assert mrkdwn.split("aaaa bbbb\n\ncc dd", 12) == ["aaaa bbbb", "cc dd"]
    assert mrkdwn.split("aaaa bbbb\ncc dd", 12) == ["aaaa bbbb", "cc dd"]
    assert mrkdwn.split("aaaa bb. cc dd", 12) == ["aaaa bb.", "cc dd"]
    assert mrkdwn.split("a" * 25, 12) == ["a" * 12, "a" * 12, "a"]
