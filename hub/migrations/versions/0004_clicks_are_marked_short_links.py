"""Clicks are marked, short links."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('short_link',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('partner_id', sa.Integer(), nullable=False),
    sa.Column('through', sa.String(), nullable=True),
    sa.Column('query', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['partner_id'], ['partner.id'], name=op.f('fk_short_link_partner_id_partner')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_short_link')),
    sa.UniqueConstraint('token', name=op.f('uq_short_link_token'))
    )
    with op.batch_alter_table('short_link', schema=None) as batch_op:
        batch_op.create_index('ix_short_link_same', ['partner_id', 'through'], unique=False)

    kinds = sa.Enum('visit', 'repeat', 'bot', name='clickkind', native_enum=False, length=30)
    with op.batch_alter_table('click', schema=None) as batch_op:
        batch_op.add_column(sa.Column('uid', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('kind', kinds, nullable=False, server_default='visit'))
        batch_op.add_column(sa.Column('day', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('link', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('visitor', sa.String(), nullable=True))
        batch_op.drop_index(batch_op.f('ix_click_asset_id'))
    # Clicks so far have no ids of their own, and their day is near enough the one in UTC.
    day = 'CAST(at AS DATE)' if op.get_bind().dialect.name == 'postgresql' else 'date(at)'
    op.execute(f"UPDATE click SET uid = 'before-' || id, day = {day}")
    with op.batch_alter_table('click', schema=None) as batch_op:
        batch_op.alter_column('uid', existing_type=sa.String(), nullable=False)
        batch_op.alter_column('day', existing_type=sa.Date(), nullable=False)
        batch_op.alter_column('kind', existing_type=kinds, server_default=None)
        batch_op.create_index('ix_click_asset_id_day', ['asset_id', 'day'], unique=False)
        batch_op.create_index('ix_click_partner_id_day', ['partner_id', 'day'], unique=False)
        batch_op.create_index(batch_op.f('ix_click_visitor'), ['visitor'], unique=False)
        batch_op.create_unique_constraint(batch_op.f('uq_click_uid'), ['uid'])


def downgrade():
    with op.batch_alter_table('click', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_click_uid'), type_='unique')
        batch_op.drop_index(batch_op.f('ix_click_visitor'))
        batch_op.drop_index('ix_click_partner_id_day')
        batch_op.drop_index('ix_click_asset_id_day')
        batch_op.create_index(batch_op.f('ix_click_asset_id'), ['asset_id'], unique=False)
        batch_op.drop_column('visitor')
        batch_op.drop_column('link')
        batch_op.drop_column('day')
        batch_op.drop_column('kind')
        batch_op.drop_column('uid')

    with op.batch_alter_table('short_link', schema=None) as batch_op:
        batch_op.drop_index('ix_short_link_same')

    op.drop_table('short_link')
