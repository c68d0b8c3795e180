"""What staff are told; messages that a colleague wrote; who solved a ticket."""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("messages") as messages:
        messages.add_column(
            sa.Column("author", sa.String(length=16), nullable=False, server_default="customer")
        )
    with op.batch_alter_table("tickets") as tickets:
        tickets.add_column(sa.Column("solved_by", sa.Text(), nullable=True))
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("outcome_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_notices_ticket_id"),
        sa.ForeignKeyConstraint(["outcome_id"], ["outcomes.id"], name="fk_notices_outcome_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_ticket_id", "notices", ["ticket_id"])
    op.create_index(
        "ix_notices_due",
        "notices",
        ["due_at"],
        sqlite_where=sa.text("state = 'intended'"),
        postgresql_where=sa.text("state = 'intended'"),
    )


def downgrade() -> None:
    op.drop_table("notices")
    with op.batch_alter_table("tickets") as tickets:
        tickets.drop_column("solved_by")
    with op.batch_alter_table("messages") as messages:
        messages.drop_column("author")
