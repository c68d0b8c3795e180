"""Internal articles that a person released to customers, each as it was then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine, delete
from sqlalchemy.orm import Mapped, mapped_column

from assistant.articles import Article
from assistant.tickets.database import insert_once, sessions
from assistant.tickets.tables import Table


class ReleaseRow(Table):
    """`content_hash` is that of the article when it was looked at."""

    __tablename__ = "releases"

    article_id: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[str]
    who: Mapped[str]
    released_at: Mapped[datetime]


class Releases:
    """What people decided about internal articles, such as solved tickets."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def release(self, article: Article, who: str) -> None:
        """The person `who` read the article: any customer may be answered from it."""
        with self._write.begin() as session:
            session.execute(delete(ReleaseRow).where(ReleaseRow.article_id == article.id))
            insert_once(
                session,
                ReleaseRow,
                article_id=article.id,
                content_hash=article.content_hash,
                who=who,
                released_at=datetime.now(UTC),
            )

    def released(self, article: Article) -> bool:
        """Whether the article was released, and is still what it was then."""
        with self._read() as session:
            row = session.get(ReleaseRow, article.id)
            return row is not None and row.content_hash == article.content_hash

    def apply(self, article: Article) -> Article:
        """The article, public if it was released."""
        if article.audience == "public" or not self.released(article):
            return article
        # Another hash, so that the index takes in the change.
        return replace(article, audience="public", content_hash=f"{article.content_hash}/released")
