"""Articles released to customers, and the address that a ticket's channel vouches for."""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "releases",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name="pk_releases"),
    )
    op.add_column("tickets", sa.Column("verified_address", sa.Text(), nullable=True))
    op.create_index("ix_tickets_verified_address", "tickets", ["verified_address"])


def downgrade() -> None:
    op.drop_index("ix_tickets_verified_address", "tickets")
    op.drop_column("tickets", "verified_address")
    op.drop_table("releases")
