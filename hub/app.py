"""The application: the platform, then the rooms' doors."""

import importlib
from importlib.util import find_spec
from types import ModuleType

from flask import Flask, g, request
from flask_login import current_user
from werkzeug.middleware.proxy_fix import ProxyFix

from .core import (
    access,
    compress,
    crash,
    database,
    errors,
    extensions,
    i18n,
    jobs,
    light,
    live,
    observe,
    security,
)
from .core.ids import Id
from .core.live import Process
from .core.settings import Env, Settings
from .core.settings import settings as current

#: From low to high: a room may use the service and models of those before it.
ROOMS = (
    "accounts",
    "notifications",
    "partners",
    "earnings",
    "kb",
    "materials",
    "training",
    "surveys",
    "tickets",
    "newsletters",
    "reports",
    "search",
    "home",
)


def create_app(settings: Settings | None = None, *, process: Process = Process.WORKER) -> Flask:
    """Build the application. Only a web `process` answers requests and holds sockets."""
    settings = settings or Settings()
    app = light.Application(__name__)
    app.url_map.converters["int"] = Id
    app.view_functions["static"] = access.public(app.view_functions["static"])
    app.testing = settings.env is Env.TEST
    app.extensions["hub.settings"] = settings
    app.extensions["hub.process"] = process
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    settings.home.mkdir(parents=True, exist_ok=True)

    crash.arm(settings)
    compress.init_app(app, settings)  # first in, so last to see the answer
    observe.init_app(app, settings)
    database.init_app(app, settings)
    app.before_request(_speak_the_readers_language)  # before the first that may refuse
    security.init_app(app, settings)
    i18n.init_app(app)
    errors.init_app(app)
    _init_extensions(app, settings)
    access.init_app(app)
    for name in ("timezones", "frame", "markup", "storage", "mail", "fulltext", "assets"):
        module = door("core", name)
        if module is not None and hasattr(module, "init_app"):
            module.init_app(app, settings)
    for room in ROOMS:
        _open_room(app, room)
    live.init_app(app)
    jobs.init_app(app, settings)
    return app


def door(room: str, name: str) -> ModuleType | None:
    """A room's module if it has one: a missing door is fine."""
    path = f"hub.{room}.{name}"
    try:
        return importlib.import_module(path) if find_spec(path) else None
    except ModuleNotFoundError as error:
        if error.name == f"hub.{room}":
            return None
        raise


def _open_room(app: Flask, room: str) -> None:
    for name in ("models", "indexing", "tasks", "chat"):
        door(room, name)
    for name in ("views", "api"):
        module = door(room, name)
        if module is not None:
            app.register_blueprint(module.bp)


def _init_extensions(app: Flask, settings: Settings) -> None:
    app.config["RATELIMIT_ENABLED"] = settings.rate_limits == "on"
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url or "memory://"
    app.config["RATELIMIT_HEADERS_ENABLED"] = True
    # Redis down: count per process rather than refuse everyone.
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = bool(settings.redis_url)
    extensions.limiter.init_app(app)
    extensions.login_manager.init_app(app)
    extensions.login_manager.login_view = "accounts.sign_in"
    extensions.login_manager.login_message = None
    extensions.login_manager.session_protection = None
    extensions.socketio.init_app(
        app,
        async_mode="threading",
        message_queue=settings.redis_url or None,
        channel="hub",
        manage_session=False,
        # Every socket has a thread already: another one for each event made a chat under load fall over its threads.
        async_handlers=False,
        cors_allowed_origins=_origins(settings),
        ping_interval=20,
        ping_timeout=20,
        max_http_buffer_size=1_000_000,
    )


def _origins(settings: Settings) -> list[str]:
    hosts = [f"{scheme}://{host}:{settings.port}" for scheme in ("http", "https") for host in settings.hosts]
    return [settings.base_url, *hosts]


def _speak_the_readers_language() -> None:
    if request.endpoint == "static":
        return
    if current_user.is_authenticated:
        i18n.activate(current_user.locale, current_user.time_zone)
    else:
        i18n.activate(i18n.negotiate(request, current.default_locale), current.programme_timezone)
    g.locale = i18n.locale()
