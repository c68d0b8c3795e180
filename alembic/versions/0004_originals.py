"""What came in as bytes, kept until it is worked on."""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("arrivals") as arrivals:
        arrivals.add_column(sa.Column("content", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("arrivals") as arrivals:
        arrivals.drop_column("content")
