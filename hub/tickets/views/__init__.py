"""Tickets over HTTP: the partner's pages and the team's inbox."""

from . import banners as banners
from . import bulk as bulk
from . import chat as chat
from . import deflecting as deflecting
from . import desks as desks
from . import fields as fields
from . import inbox as inbox
from . import macros as macros
from . import mail as mail
from . import moving as moving
from . import portal as portal
from . import promises as promises
from . import rating as rating
from . import saved_views as saved_views
from . import ties as ties
from . import timeline as timeline
from .shared import bp as bp
