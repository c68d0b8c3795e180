"""Articles released to customers, and the address that a message's channel vouches for."""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "releases",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name="pk_releases"),
    )
    op.add_column("messages", sa.Column("verified_address", sa.Text(), nullable=True))
    op.create_index("ix_messages_verified_address", "messages", ["verified_address"])


def downgrade() -> None:
    op.drop_index("ix_messages_verified_address", "messages")
    op.drop_column("messages", "verified_address")
    op.drop_table("releases")
