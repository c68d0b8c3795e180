"""Files that people send with replies."""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "reply_attachments",
        sa.Column("reply_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False, server_default=""),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["reply_id"], ["replies.id"], name="fk_reply_attachments_reply_id"),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name="fk_reply_attachments_sha256"),
        sa.PrimaryKeyConstraint("reply_id", "position", name="pk_reply_attachments"),
    )


def downgrade() -> None:
    op.drop_table("reply_attachments")
