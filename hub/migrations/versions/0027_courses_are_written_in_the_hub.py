"""Courses are written in the hub."""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('course_text', schema=None) as batch_op:
        batch_op.add_column(sa.Column('status', sa.Enum('draft', 'published', 'archived', name='coursestatus', native_enum=False, length=30), server_default='published', nullable=False))
        batch_op.create_index(batch_op.f('ix_course_text_status'), ['status'], unique=False)
    # What the search index had not seen yet is noted where it looks from now on.
    op.execute(
        "INSERT INTO search_change (kind, id, version) SELECT 'lesson', id, 1 FROM lesson_text WHERE is_stale"
    )
    with op.batch_alter_table('lesson_text', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lesson_text_is_stale'))
        batch_op.drop_column('is_stale')


def downgrade():
    with op.batch_alter_table('lesson_text', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_stale', sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.create_index(batch_op.f('ix_lesson_text_is_stale'), ['is_stale'], unique=False)

    with op.batch_alter_table('course_text', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_course_text_status'))
        batch_op.drop_column('status')
