"""What materials are used for and earn, templates."""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('counted_file',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_counted_file')),
    sa.UniqueConstraint('name', name=op.f('uq_counted_file_name'))
    )
    op.create_table('asset_use',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('asset_id', sa.Integer(), nullable=False),
    sa.Column('partner_id', sa.Integer(), nullable=True),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('views', sa.Integer(), nullable=False),
    sa.Column('downloads', sa.Integer(), nullable=False),
    sa.Column('visits', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_asset_use_asset_id_asset')),
    sa.ForeignKeyConstraint(['partner_id'], ['partner.id'], name=op.f('fk_asset_use_partner_id_partner')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_asset_use')),
    sa.UniqueConstraint('asset_id', 'partner_id', 'day', name=op.f('uq_asset_use_asset_id_partner_id_day'))
    )
    with op.batch_alter_table('asset_use', schema=None) as batch_op:
        batch_op.create_index('ix_asset_use_day', ['day'], unique=False)
        batch_op.create_index('ix_asset_use_partner_id_day', ['partner_id', 'day'], unique=False)

    op.create_table('placement',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('asset_id', sa.Integer(), nullable=False),
    sa.Column('partner_id', sa.Integer(), nullable=True),
    sa.Column('site', sa.String(), nullable=False),
    sa.Column('views', sa.Integer(), nullable=False),
    sa.Column('visits', sa.Integer(), nullable=False),
    sa.Column('first_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_placement_asset_id_asset')),
    sa.ForeignKeyConstraint(['partner_id'], ['partner.id'], name=op.f('fk_placement_partner_id_partner')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_placement')),
    sa.UniqueConstraint('asset_id', 'partner_id', 'site', name=op.f('uq_placement_asset_id_partner_id_site'))
    )
    with op.batch_alter_table('placement', schema=None) as batch_op:
        batch_op.create_index('ix_placement_partner_id', ['partner_id'], unique=False)

    op.create_table('template',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('asset_id', sa.Integer(), nullable=False),
    sa.Column('places', sa.JSON(), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_template_asset_id_asset')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_template')),
    sa.UniqueConstraint('asset_id', name=op.f('uq_template_asset_id'))
    )
    op.create_table('sale_credit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('conversion_id', sa.Integer(), nullable=False),
    sa.Column('partner_id', sa.Integer(), nullable=False),
    sa.Column('asset_id', sa.Integer(), nullable=True),
    sa.Column('basis', sa.Enum('click', 'after', 'none', name='basis', native_enum=False, length=30), nullable=False),
    sa.Column('is_renewal', sa.Boolean(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_sale_credit_asset_id_asset')),
    sa.ForeignKeyConstraint(['conversion_id'], ['conversion.id'], name=op.f('fk_sale_credit_conversion_id_conversion')),
    sa.ForeignKeyConstraint(['partner_id'], ['partner.id'], name=op.f('fk_sale_credit_partner_id_partner')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sale_credit')),
    sa.UniqueConstraint('conversion_id', name=op.f('uq_sale_credit_conversion_id'))
    )
    with op.batch_alter_table('sale_credit', schema=None) as batch_op:
        batch_op.create_index('ix_sale_credit_asset_id_day', ['asset_id', 'day'], unique=False)
        batch_op.create_index('ix_sale_credit_partner_id_day', ['partner_id', 'day'], unique=False)

    with op.batch_alter_table('asset', schema=None) as batch_op:
        batch_op.add_column(sa.Column('earned', sa.Integer(), server_default='0', nullable=False))
        batch_op.create_index('ix_asset_earned_id', ['earned', 'id'], unique=False)

    with op.batch_alter_table('conversion', schema=None) as batch_op:
        batch_op.add_column(sa.Column('click_id', sa.String(), nullable=True))

    with op.batch_alter_table('partner', schema=None) as batch_op:
        batch_op.add_column(sa.Column('contact', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('logo_key', sa.String(), nullable=True))

    _sum_up()



def _sum_up():
    """Sums of the use so far; the day of a download is that of Greenwich."""
    day = "date(at)" if op.get_bind().dialect.name == "sqlite" else "CAST(at AS date)"
    op.execute(
        "INSERT INTO asset_use (asset_id, partner_id, day, views, downloads, visits)"
        " SELECT asset_id, partner_id, day, 0, sum(downloads), sum(visits) FROM ("
        "  SELECT asset_id, partner_id, day, 0 AS downloads, 1 AS visits FROM click"
        "  WHERE kind = 'visit' AND asset_id IS NOT NULL"
        f"  UNION ALL SELECT asset_version.asset_id, download.partner_id, {day}, 1, 0 FROM download"
        "  JOIN asset_version ON asset_version.id = download.version_id"
        " ) AS uses GROUP BY asset_id, partner_id, day"
    )
    op.execute(
        "INSERT INTO placement (asset_id, partner_id, site, views, visits, first_at, last_at)"
        " SELECT asset_id, partner_id, referrer, 0, count(*), min(at), max(at) FROM click"
        " WHERE kind = 'visit' AND asset_id IS NOT NULL AND referrer IS NOT NULL"
        " GROUP BY asset_id, partner_id, referrer"
    )


def downgrade():
    with op.batch_alter_table('partner', schema=None) as batch_op:
        batch_op.drop_column('logo_key')
        batch_op.drop_column('contact')

    with op.batch_alter_table('conversion', schema=None) as batch_op:
        batch_op.drop_column('click_id')

    with op.batch_alter_table('asset', schema=None) as batch_op:
        batch_op.drop_index('ix_asset_earned_id')
        batch_op.drop_column('earned')

    with op.batch_alter_table('sale_credit', schema=None) as batch_op:
        batch_op.drop_index('ix_sale_credit_partner_id_day')
        batch_op.drop_index('ix_sale_credit_asset_id_day')

    op.drop_table('sale_credit')
    op.drop_table('template')
    with op.batch_alter_table('placement', schema=None) as batch_op:
        batch_op.drop_index('ix_placement_partner_id')

    op.drop_table('placement')
    with op.batch_alter_table('asset_use', schema=None) as batch_op:
        batch_op.drop_index('ix_asset_use_partner_id_day')
        batch_op.drop_index('ix_asset_use_day')

    op.drop_table('asset_use')
    op.drop_table('counted_file')
