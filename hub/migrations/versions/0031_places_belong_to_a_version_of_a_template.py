"""Places belong to a version of a template."""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

TEMPLATES = "UPDATE template SET {kept} = (SELECT asset_version.{found} FROM asset_version WHERE {of})"


def upgrade():
    with op.batch_alter_table('template', schema=None) as batch_op:
        batch_op.add_column(sa.Column('version_id', sa.Integer(), nullable=True))
    # What older versions looked like, nobody has kept.
    current = "asset_version.asset_id = template.asset_id AND asset_version.is_current"
    op.execute(TEMPLATES.format(kept="version_id", found="id", of=current))
    with op.batch_alter_table('template', schema=None) as batch_op:
        batch_op.alter_column('version_id', existing_type=sa.Integer(), nullable=False)
        batch_op.create_unique_constraint(batch_op.f('uq_template_version_id'), ['version_id'])
        batch_op.create_foreign_key(batch_op.f('fk_template_version_id_asset_version'), 'asset_version', ['version_id'], ['id'])
        batch_op.drop_constraint(batch_op.f('uq_template_asset_id'), type_='unique')
        batch_op.drop_constraint(batch_op.f('fk_template_asset_id_asset'), type_='foreignkey')
        batch_op.drop_column('asset_id')


def downgrade():
    op.execute("DELETE FROM template WHERE version_id NOT IN (SELECT id FROM asset_version WHERE is_current)")
    with op.batch_alter_table('template', schema=None) as batch_op:
        batch_op.add_column(sa.Column('asset_id', sa.Integer(), nullable=True))
    op.execute(TEMPLATES.format(kept="asset_id", found="asset_id", of="asset_version.id = template.version_id"))
    with op.batch_alter_table('template', schema=None) as batch_op:
        batch_op.alter_column('asset_id', existing_type=sa.Integer(), nullable=False)
        batch_op.create_unique_constraint(batch_op.f('uq_template_asset_id'), ['asset_id'])
        batch_op.create_foreign_key(batch_op.f('fk_template_asset_id_asset'), 'asset', ['asset_id'], ['id'])
        batch_op.drop_constraint(batch_op.f('uq_template_version_id'), type_='unique')
        batch_op.drop_constraint(batch_op.f('fk_template_version_id_asset_version'), type_='foreignkey')
        batch_op.drop_column('version_id')
