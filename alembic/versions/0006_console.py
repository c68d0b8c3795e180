"""The console: people, their sessions, notes, presence, assignment, and search in messages."""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"

# FTS5 with external content: the words stand in `messages` only, triggers keep the index right
# (https://sqlite.org/fts5.html#external_content_tables).
SQLITE_SEARCH = (
    """CREATE VIRTUAL TABLE message_words USING fts5(
        sender, subject, text, content='messages', content_rowid='id',
        tokenize='unicode61 remove_diacritics 2')""",
    "INSERT INTO message_words(message_words) VALUES ('rebuild')",
    """CREATE TRIGGER message_words_insert AFTER INSERT ON messages BEGIN
        INSERT INTO message_words(rowid, sender, subject, text)
        VALUES (new.id, new.sender, new.subject, new.text); END""",
    """CREATE TRIGGER message_words_delete AFTER DELETE ON messages BEGIN
        INSERT INTO message_words(message_words, rowid, sender, subject, text)
        VALUES ('delete', old.id, old.sender, old.subject, old.text); END""",
    """CREATE TRIGGER message_words_update AFTER UPDATE OF sender, subject, text ON messages BEGIN
        INSERT INTO message_words(message_words, rowid, sender, subject, text)
        VALUES ('delete', old.id, old.sender, old.subject, old.text);
        INSERT INTO message_words(rowid, sender, subject, text)
        VALUES (new.id, new.sender, new.subject, new.text); END""",
)
# `left`: a tsvector holds one megabyte at most, and a longer message must be stored all the same.
# Punctuation goes first, or else an address would be one word.
POSTGRESQL_SEARCH = """CREATE INDEX ix_messages_words ON messages USING gin (to_tsvector('simple',
    regexp_replace(left(sender || ' ' || subject || ' ' || text, 100000),
    '[^[:alnum:]]+', ' ', 'g')))"""


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("name", name="uq_people_name"),
        sa.UniqueConstraint("subject", name="uq_people_subject"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_sessions_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
    )
    op.create_index("ix_sessions_person_id", "sessions", ["person_id"])
    op.create_table(
        "failed_log_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failed_log_ins"),
    )
    op.create_index("ix_failed_log_ins_at", "failed_log_ins", ["at"])
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_notes_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
    )
    op.create_index("ix_notes_ticket_id", "notes", ["ticket_id"])
    op.create_table(
        "presence",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_presence_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", "who", name="pk_presence"),
    )
    op.add_column("tickets", sa.Column("assignee", sa.Text(), nullable=True))
    op.create_index("ix_tickets_updated_at", "tickets", ["updated_at", "id"])
    op.create_index("ix_tickets_assignee", "tickets", ["assignee", "updated_at"])
    op.create_index("ix_tickets_connector", "tickets", ["connector", "updated_at"])
    op.create_index("ix_audit_who", "audit", ["who", "id"])
    op.create_index("ix_audit_action", "audit", ["action", "id"])
    op.create_index("ix_citations_article_id", "citations", ["article_id", "outcome_id"])
    op.create_index("ix_replies_outcome_id", "replies", ["outcome_id"])
    op.create_index("ix_messages_outcome_id", "messages", ["outcome_id"])
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE_SEARCH:
            op.execute(statement)
    else:
        op.execute(POSTGRESQL_SEARCH)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for event in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER message_words_{event}")
        op.execute("DROP TABLE message_words")
    else:
        op.drop_index("ix_messages_words", "messages")
    op.drop_index("ix_messages_outcome_id", "messages")
    op.drop_index("ix_replies_outcome_id", "replies")
    for name in ("action", "who"):
        op.drop_index(f"ix_audit_{name}", "audit")
    op.drop_index("ix_citations_article_id", "citations")
    for name in ("connector", "assignee", "updated_at"):
        op.drop_index(f"ix_tickets_{name}", "tickets")
    op.drop_column("tickets", "assignee")
    for table in ("presence", "notes", "failed_log_ins", "sessions", "people"):
        op.drop_table(table)
