"""The bare baseline: a Flask application with an empty page and, where one is named, a plain file."""

import os

from flask import Flask, Response, send_file


def create_app() -> Flask:
    """Return the empty application."""
    app = Flask(__name__)

    @app.get("/")
    def empty() -> str:
        return ""

    @app.get("/file")
    def file() -> Response:
        return send_file(os.environ["BENCH_FILE"])

    return app
