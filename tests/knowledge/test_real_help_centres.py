"""The readers on whole documentation sites: all articles are read, and nothing of their markup is
left in prose (code keeps its own)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assistant.articles import Article
from assistant.knowledge.passages import split
from assistant.knowledge.sources import Folder

LEFTOVERS = re.compile(
    r"^import \w+ from '@|^:::|:(?:doc|ref|kbd):`|^\.\. \w|className=|<(?:Note|Tip|Card|Tabs?)\b"
    r"|<CtaBox|^:orphan:|useBaseUrl|\{(?:ref|doc|note)\}",
    re.M,
)


@pytest.mark.parametrize(
    ("product", "articles", "sections"),
    [("chatwoot", 67, 600), ("plausible", 126, 850), ("mattermost", 421, 6_000)],
)
def test_every_article_of_a_help_centre(
    real_data: Path, product: str, articles: int, sections: int
):
    found = list(Folder(real_data / "screens" / product / "articles").articles())

    read = [article for article in found if isinstance(article, Article)]
    assert len(read) == len(found) == articles
    assert sum(len(article.sections) for article in read) >= sections
    assert all(article.title for article in read)
    left = [(a.id, s.text) for a in read for s in a.sections if LEFTOVERS.search(s.text)]
    assert len(left) <= articles // 100, [(name, LEFTOVERS.findall(text)) for name, text in left]
    passages = [passage for article in read for passage in split(article)]
    assert {passage.article_id for passage in passages} == {article.id for article in read}
    assert len({passage.id for passage in passages}) == len(passages)
