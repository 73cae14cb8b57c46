"""What gunicorn serves."""

from .app import create_app
from .core.live import Process, start_relay

app = create_app(process=Process.WEB)
start_relay(app)
