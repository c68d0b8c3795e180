"""Thresholds set in the console, what is found about the articles, the size of edits, and indexes
for figures over time."""

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0009"

# With what the figures read, so that they need the index alone.
INDEXES = {
    "ix_outcomes_created_at": (
        "outcomes",
        ["created_at", "ticket_id", "action", "draft_state", "confidence"],
    ),
    "ix_tickets_created_at": ("tickets", ["created_at", "connector", "solved_by"]),
    "ix_feedback_created_at": ("feedback", ["created_at", "ticket_id", "helpful"]),
}
REPLIES = {
    "ix_replies_ticket_id": ["ticket_id", "sent_at", "approved_by"],
    "ix_replies_outcome_id": ["outcome_id", "author", "changed_share"],
}


def upgrade() -> None:
    op.create_table(
        "thresholds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reply_at", sa.Double(), nullable=True),
        sa.Column("draft_at", sa.Double(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_thresholds"),
    )
    op.create_table(
        "findings",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_findings"),
    )
    op.add_column("replies", sa.Column("changed_share", sa.Double(), nullable=True))
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    for name, columns in REPLIES.items():
        op.drop_index(name, "replies")
        op.create_index(name, "replies", columns)


def downgrade() -> None:
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
    for name, columns in REPLIES.items():
        op.drop_index(name, "replies")
        op.create_index(name, "replies", columns[:1])
    op.drop_column("replies", "changed_share")
    op.drop_table("findings")
    op.drop_table("thresholds")
