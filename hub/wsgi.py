"""What gunicorn serves."""

from .app import create_app
from .core import database, jobs, lean
from .core.live import Process, start_relay

lean.give_back()
app = create_app(process=Process.WEB)
lean.keep()
start_relay(app)
jobs.start_ringer(app)
database.start_checkpoints(app)
