"""Addresses of static files that name their content, so that browsers keep them for ever."""

import time
from pathlib import Path

from flask import Flask

from .settings import Settings
from .static import StaticFiles

LOOK_AGAIN_SECONDS = 1.0


def versioned(folder: Path, name: str) -> str:
    """Return the file's address with its time of change, or without when there is no such file."""
    try:
        return f"/static/{name}?v={(folder / name).stat().st_mtime_ns:x}"
    except FileNotFoundError:
        return f"/static/{name}"


def init_app(app: Flask, _settings: Settings) -> None:
    """Serve the static folder ahead of the application, and give templates `static('tokens.css')`."""
    folder = Path(str(app.static_folder))
    known: dict[str, tuple[float, str]] = {}

    def static(name: str) -> str:
        # Looking again after a second spares a restart after a rebuild; a page asks sixty times for its icons.
        now = time.monotonic()
        looked_at, address = known.get(name, (0.0, ""))
        if not address or now - looked_at > LOOK_AGAIN_SECONDS:
            address = versioned(folder, name)
            known[name] = now, address
        return address

    app.jinja_env.globals["static"] = static
    app.wsgi_app = StaticFiles(app.wsgi_app, folder)  # type: ignore[method-assign]
