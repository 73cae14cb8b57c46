"""Knowledge base: chosen readers, category tree, sources of translations, reviews."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('article_reader',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('article_id', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('needle', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_article_reader_article_id_article')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_reader')),
    sa.UniqueConstraint('article_id', 'token', name=op.f('uq_article_reader_article_id_token'))
    )
    with op.batch_alter_table('article_reader', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_reader_token'), ['token'], unique=False)

    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.add_column(sa.Column('source_locale', sa.String(), nullable=False, server_default='en'))
        batch_op.add_column(sa.Column('review_told', sa.Date(), nullable=True))
        batch_op.create_index(batch_op.f('ix_article_review_due'), ['review_due'], unique=False)

    with op.batch_alter_table('category', schema=None) as batch_op:
        batch_op.add_column(sa.Column('parent_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_category_parent_id'), ['parent_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_category_parent_id_category'), 'category', ['parent_id'], ['id'])

    with op.batch_alter_table('translation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('touched', sa.Integer(), nullable=False, server_default='0'))

    # An article without an English text has another source: the text it began with.
    op.execute(
        "UPDATE article SET source_locale = (SELECT first.locale FROM translation first"
        " WHERE first.article_id = article.id ORDER BY first.id LIMIT 1)"
        " WHERE EXISTS (SELECT 1 FROM translation WHERE translation.article_id = article.id)"
        " AND NOT EXISTS (SELECT 1 FROM translation english"
        " WHERE english.article_id = article.id AND english.locale = 'en')"
    )


def downgrade():
    with op.batch_alter_table('translation', schema=None) as batch_op:
        batch_op.drop_column('touched')

    with op.batch_alter_table('category', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_category_parent_id_category'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_category_parent_id'))
        batch_op.drop_column('parent_id')

    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_review_due'))
        batch_op.drop_column('review_told')
        batch_op.drop_column('source_locale')

    with op.batch_alter_table('article_reader', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_reader_token'))

    op.drop_table('article_reader')
