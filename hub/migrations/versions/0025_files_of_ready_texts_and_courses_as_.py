"""Files of ready texts and courses as they were last seen."""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('known_file',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('path', sa.String(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_known_file'))
    )
    with op.batch_alter_table('newsletter', schema=None) as batch_op:
        batch_op.add_column(sa.Column('key', sa.String(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_newsletter_key'), ['key'])


def downgrade():
    with op.batch_alter_table('newsletter', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_newsletter_key'), type_='unique')
        batch_op.drop_column('key')

    op.drop_table('known_file')