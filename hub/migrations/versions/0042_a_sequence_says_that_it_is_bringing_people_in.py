"""A sequence says that it is bringing people in."""

import sqlalchemy as sa
from alembic import op

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('newsletter_sequence', schema=None) as batch_op:
        batch_op.add_column(sa.Column('brings_everyone', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade():
    with op.batch_alter_table('newsletter_sequence', schema=None) as batch_op:
        batch_op.drop_column('brings_everyone')
