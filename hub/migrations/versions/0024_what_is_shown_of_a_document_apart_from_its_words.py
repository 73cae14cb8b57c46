"""What is shown of a document stands apart from its words; the index is built anew."""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('search_shown',
    sa.Column('lang', sa.String(length=2), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('lang', 'key', name=op.f('pk_search_shown'))
    )
    _empty()
    with op.batch_alter_table('search_document', schema=None) as batch_op:
        batch_op.drop_column('document')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE search_document SET (toast_tuple_target = 8160)')


def downgrade():
    _empty()
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE search_document RESET (toast_tuple_target)')
    with op.batch_alter_table('search_document', schema=None) as batch_op:
        batch_op.add_column(sa.Column('document', sa.Text(), nullable=False))
    op.drop_table('search_shown')


def _empty():
    """The worker fills these again: an index of another form counts as missing."""
    for table in ('search_document', 'search_word', 'search_key', 'search_entry'):
        op.execute(f'DELETE FROM {table}')
