"""The bare baseline: a Flask application whose only page is empty."""

from flask import Flask


def create_app() -> Flask:
    """Return the empty application."""
    app = Flask(__name__)

    @app.get("/")
    def empty() -> str:
        return ""

    return app
