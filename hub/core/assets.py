"""Addresses of static files that name their content, so that browsers keep them for ever."""

from pathlib import Path

from flask import Flask

from .settings import Settings
from .static import StaticFiles


def init_app(app: Flask, _settings: Settings) -> None:
    """Serve the static folder ahead of the application, and give templates `static('tokens.css')`."""
    folder = Path(str(app.static_folder))
    known: dict[str, tuple[int, str]] = {}

    def static(name: str) -> str:
        # A look at the file costs a microsecond and spares a restart after a rebuild.
        try:
            modified = (folder / name).stat().st_mtime_ns
        except FileNotFoundError:
            return f"/static/{name}"
        if name not in known or known[name][0] != modified:
            known[name] = modified, f"/static/{name}?v={modified:x}"
        return known[name][1]

    app.jinja_env.globals["static"] = static
    app.wsgi_app = StaticFiles(app.wsgi_app, folder)  # type: ignore[method-assign]
