"""Tickets over HTTP: the partner's pages and the team's inbox."""

from . import chat as chat
from . import inbox as inbox
from . import mail as mail
from . import portal as portal
from .shared import bp as bp
