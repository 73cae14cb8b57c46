"""Subscribers are found by day and by topic."""

from alembic import op

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('newsletter_subscription', schema=None) as batch_op:
        batch_op.create_index('ix_newsletter_subscription_confirmed_at_id', ['confirmed_at', 'id'], unique=False)
        batch_op.create_index('ix_newsletter_subscription_topic_id', ['topic', 'id'], unique=False)


def downgrade():
    with op.batch_alter_table('newsletter_subscription', schema=None) as batch_op:
        batch_op.drop_index('ix_newsletter_subscription_topic_id')
        batch_op.drop_index('ix_newsletter_subscription_confirmed_at_id')
