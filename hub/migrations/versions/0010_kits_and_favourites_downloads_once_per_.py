"""Kits and favourites, downloads once per version."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('kit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('is_shared', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_kit_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kit'))
    )
    with op.batch_alter_table('kit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kit_is_shared'), ['is_shared'], unique=False)
        batch_op.create_index(batch_op.f('ix_kit_user_id'), ['user_id'], unique=False)

    op.create_table('favourite',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('asset_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_favourite_asset_id_asset')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_favourite_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_favourite')),
    sa.UniqueConstraint('user_id', 'asset_id', name=op.f('uq_favourite_user_id_asset_id'))
    )
    with op.batch_alter_table('favourite', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_favourite_asset_id'), ['asset_id'], unique=False)

    op.create_table('kit_item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kit_id', sa.Integer(), nullable=False),
    sa.Column('asset_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_kit_item_asset_id_asset')),
    sa.ForeignKeyConstraint(['kit_id'], ['kit.id'], name=op.f('fk_kit_item_kit_id_kit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kit_item')),
    sa.UniqueConstraint('kit_id', 'asset_id', name=op.f('uq_kit_item_kit_id_asset_id'))
    )
    with op.batch_alter_table('kit_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kit_item_asset_id'), ['asset_id'], unique=False)

    # The first download of a version by a person stays.
    op.execute(
        "DELETE FROM download WHERE id NOT IN (SELECT min(id) FROM download GROUP BY version_id, user_id)"
    )
    op.execute(
        "UPDATE asset SET uses = (SELECT count(*) FROM download JOIN asset_version"
        " ON asset_version.id = download.version_id WHERE asset_version.asset_id = asset.id)"
    )
    with op.batch_alter_table('asset', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_asset_updated_at'), ['updated_at'], unique=False)

    with op.batch_alter_table('download', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_download_version_id_user_id_day'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_download_version_id_user_id'), ['version_id', 'user_id'])
        batch_op.drop_column('day')



def downgrade():
    with op.batch_alter_table('asset', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_asset_updated_at'))

    with op.batch_alter_table('download', schema=None) as batch_op:
        batch_op.add_column(sa.Column('day', sa.DATE(), nullable=False, server_default='1970-01-01'))
        batch_op.drop_constraint(batch_op.f('uq_download_version_id_user_id'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_download_version_id_user_id_day'), ['version_id', 'user_id', 'day'])

    with op.batch_alter_table('kit_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_kit_item_asset_id'))

    op.drop_table('kit_item')
    with op.batch_alter_table('favourite', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_favourite_asset_id'))

    op.drop_table('favourite')
    with op.batch_alter_table('kit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_kit_user_id'))
        batch_op.drop_index(batch_op.f('ix_kit_is_shared'))

    op.drop_table('kit')
