"""Logs with a request id, health checks and Prometheus metrics."""

import logging
import re
import secrets
import sys
import time

import structlog
from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from sqlalchemy import text

from .access import public
from .database import db
from .errors import Forbidden
from .light import always
from .settings import Settings, settings

bp = Blueprint("observe", __name__)
registry = CollectorRegistry()
REQUESTS = Counter(
    "hub_requests_total", "Requests answered", ["endpoint", "method", "status"], registry=registry
)
SECONDS = Histogram("hub_request_seconds", "Time to answer", ["endpoint"], registry=registry)


@bp.get("/healthz")
@public
def healthz() -> Response:
    """The process lives."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
@public
def readyz() -> Response:
    """The process can do its work: the database answers."""
    try:
        db.session.execute(text("SELECT 1"))
    except Exception:
        return Response(
            "database: no answer\n", status=503, mimetype="text/plain", headers={"Retry-After": "5"}
        )
    return Response("ok\n", mimetype="text/plain")


@bp.get("/metrics")
@public
def metrics() -> Response:
    """Figures for Prometheus: with the token. Without one, this machine may read them outside production.

    Behind a reverse proxy every request seems to come from this machine.
    """
    token = settings.metrics_token
    allowed = (
        secrets.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
        if token
        else not settings.is_production and request.remote_addr in ("127.0.0.1", "::1")
    )
    if not allowed:
        raise Forbidden
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def configure_logs(settings: Settings) -> None:
    render = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def init_app(app: Flask, settings: Settings) -> None:
    configure_logs(settings)
    app.register_blueprint(bp)
    log = structlog.get_logger("hub")

    @app.before_request
    @always
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if re.fullmatch(r"[\w.-]{8,64}", given) else secrets.token_hex(8)
        g.started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    @always
    def end(response: Response) -> Response:
        if "started" not in g:
            return response
        seconds = time.perf_counter() - g.started
        endpoint = request.endpoint or "none"
        response.headers["X-Request-ID"] = g.request_id
        REQUESTS.labels(endpoint, request.method, response.status_code).inc()
        SECONDS.labels(endpoint).observe(seconds)
        if settings.log_format == "json" and endpoint != "static":
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
            )
        return response
