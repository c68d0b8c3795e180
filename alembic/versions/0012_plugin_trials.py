"""What versions of plugins that are tried would have changed."""

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "plugin_trials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hook", sa.String(length=32), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("ms", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_plugin_trials_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plugin_trials"),
    )
    op.create_index("ix_plugin_trials_plugin", "plugin_trials", ["plugin", "number", "id"])
    op.create_index("ix_plugin_trials_ticket_id", "plugin_trials", ["ticket_id"])


def downgrade() -> None:
    op.drop_table("plugin_trials")
