"""Knowledge base: pictures and drafts."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('article_draft',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('fields', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('here_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_article_draft_user_id_user'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_draft')),
    sa.UniqueConstraint('user_id', 'place', name=op.f('uq_article_draft_user_id_place'))
    )
    with op.batch_alter_table('article_draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_draft_place_here_at'), ['place', 'here_at'], unique=False)

    op.create_table('article_picture',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('mime', sa.String(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['user.id'], name=op.f('fk_article_picture_author_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_picture')),
    sa.UniqueConstraint('name', name=op.f('uq_article_picture_name'))
    )
    op.create_table('article_picture_use',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('picture_id', sa.Integer(), nullable=False),
    sa.Column('translation_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['picture_id'], ['article_picture.id'], name=op.f('fk_article_picture_use_picture_id_article_picture')),
    sa.ForeignKeyConstraint(['translation_id'], ['translation.id'], name=op.f('fk_article_picture_use_translation_id_translation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_picture_use')),
    sa.UniqueConstraint('picture_id', 'translation_id', name=op.f('uq_article_picture_use_picture_id_translation_id'))
    )
    with op.batch_alter_table('article_picture_use', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_picture_use_translation_id'), ['translation_id'], unique=False)



def downgrade():
    with op.batch_alter_table('article_picture_use', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_picture_use_translation_id'))

    op.drop_table('article_picture_use')
    op.drop_table('article_picture')
    with op.batch_alter_table('article_draft', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_draft_place_here_at'))

    op.drop_table('article_draft')
