"""Headers, cookies and forms: what keeps a browser from being used against its owner."""

from flask import Flask, Response, abort, request

from .extensions import csrf
from .light import always
from .settings import Settings

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
#: For pages that show a banner of the hub's own in a frame.
CSP_WITH_FRAMES = f"{CSP}; frame-src 'self'"


def csp_with_frames_of(hosts: list[str]) -> str:
    """For a page that may show a player of one of these sites."""
    return f"{CSP}; frame-src {' '.join(hosts)}"


#: Bytes of text in one form: far more than any field takes.
MOST_TEXT = 8_000_000

HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def has_bearer() -> bool:
    """A bearer token is never sent by a browser on its own, so the API it opens needs no CSRF token."""
    return request.path.startswith("/api/") and request.headers.get("Authorization", "").startswith("Bearer ")


def init_app(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-hub" if settings.is_https else "hub",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=settings.session_days * 86400,
        SESSION_REFRESH_EACH_REQUEST=False,  # accounts renews the cookie with each visit it writes down
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=settings.max_upload_mb * 1_000_000 + 1_000_000,
        MAX_FORM_MEMORY_SIZE=MOST_TEXT,
        MAX_FORM_PARTS=2000,
        TRUSTED_HOSTS=settings.hosts,
    )
    csrf.init_app(app)

    @app.before_request
    def refuse_endless_text() -> None:
        # Werkzeug keeps to MAX_FORM_MEMORY_SIZE in multipart forms only; it reads a plain one whole.
        is_plain = request.mimetype == "application/x-www-form-urlencoded"
        if is_plain and (request.content_length or 0) > MOST_TEXT:
            while request.stream.read(1 << 16):  # a browser hears an answer only when it has said everything
                pass
            abort(413)

    @app.before_request
    def refuse_forged_forms() -> None:
        view = app.view_functions.get(request.endpoint or "")
        name = f"{view.__module__}.{view.__name__}" if view else ""
        if app.config["WTF_CSRF_ENABLED"] and not has_bearer() and name not in csrf._exempt_views:
            csrf.protect()

    @app.after_request
    @always
    def harden(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.is_https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if response.mimetype == "text/html":
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response
