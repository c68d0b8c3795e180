"""Outcomes know their channel, so that figures need their index alone, and PostgreSQL keeps the
words of messages, so that a search need not make them anew for each message it passes."""

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"

WORDS = """to_tsvector('simple', regexp_replace(
    left(sender || ' ' || subject || ' ' || text, 100000), '[^[:alnum:]]+', ' ', 'g'))"""
BEFORE = ["created_at", "ticket_id", "action", "draft_state", "confidence"]
NOW = ["created_at", "connector", "action", "draft_state", "confidence", "id"]


def upgrade() -> None:
    op.add_column("outcomes", sa.Column("connector", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE outcomes SET connector ="
        " (SELECT connector FROM tickets WHERE tickets.id = outcomes.ticket_id)"
    )
    op.drop_index("ix_outcomes_created_at", "outcomes")
    op.create_index("ix_outcomes_created_at", "outcomes", NOW)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_messages_words", "messages")
        op.execute(f"ALTER TABLE messages ADD words tsvector GENERATED ALWAYS AS ({WORDS}) STORED")
        op.execute("CREATE INDEX ix_messages_words ON messages USING gin (words)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_messages_words", "messages")
        op.drop_column("messages", "words")
        op.execute(f"CREATE INDEX ix_messages_words ON messages USING gin ({WORDS})")
    op.drop_index("ix_outcomes_created_at", "outcomes")
    op.create_index("ix_outcomes_created_at", "outcomes", BEFORE)
    op.drop_column("outcomes", "connector")
