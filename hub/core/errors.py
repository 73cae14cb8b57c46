"""What can go wrong, and the page or JSON each becomes."""

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError

from .database import db
from .i18n import Text, _, _l

log = structlog.get_logger()


class HubError(Exception):
    """A rule says no. `message` is shown to the person, in their language."""

    status = 409
    message: Text = _l("This cannot be done now.")

    def __init__(self, message: Text | None = None) -> None:
        self.message = message or self.message
        super().__init__(str(self.message))


class NotFound(HubError):
    status = 404
    message = _l("This page does not exist, or you have no access to it.")


class Forbidden(HubError):
    status = 403
    message = _l("You do not have the right to do this.")


class Invalid(HubError):
    """Input that cannot be accepted; `errors` maps field → messages."""

    status = 422
    message = _l("Something in the form needs correcting.")

    def __init__(self, message: Text | None = None, **errors: list[Text]) -> None:
        super().__init__(message)
        self.errors = errors


class TooLarge(HubError):
    status = 413
    message = _l("The file is too large.")


TITLES = {
    400: _l("The request could not be understood"),
    401: _l("Sign in first"),
    403: _l("No access"),
    404: _l("Not found"),
    405: _l("Not possible here"),
    409: _l("This cannot be done now"),
    413: _l("Too large"),
    422: _l("Something needs correcting"),
    429: _l("Too many attempts"),
    500: _l("Something broke on our side"),
    503: _l("The hub is busy"),
    507: _l("The disk is full"),
}

MESSAGES = {
    400: _l("Go back and try again. If the page was open for long, reload it."),
    401: _l("This address needs you to be signed in."),
    403: Forbidden.message,
    404: NotFound.message,
    405: _l("This address does not accept that kind of request."),
    413: _l("That is too much for one message or form. Go back: what you typed is still there."),
    422: Invalid.message,
    429: _l("Wait a minute, then try again."),
    500: _l("We have been told and will look at it. What you entered was not saved."),
    503: _l("Wait a few seconds, then try again. Nothing was lost."),
    507: _l("Nothing was saved. Try again later."),
}


def wants_json() -> bool:
    return request.path.startswith("/api/")


def answer(status: int, message: Text | None = None, **headers: str) -> Response:
    """An error as JSON for the API and as a page for people."""
    text = str(message or MESSAGES.get(status) or "")
    title = str(TITLES.get(status, TITLES[500 if status >= 500 else 400]))
    if wants_json():
        response = jsonify(error=text or title, status=status)
    else:
        response = make_response(
            render_template("errors/error.html", status=status, title=title, message=text)
        )
    response.status_code = status
    response.headers.extend(headers)
    return response


def init_app(app: Flask) -> None:
    @app.errorhandler(HubError)
    def refused(error: HubError) -> Response:
        return answer(error.status, error.message)

    @app.errorhandler(CSRFError)
    def forged(error: CSRFError) -> Response:
        return answer(400, _("The form has expired. Go back, reload the page and send it again."))

    @app.errorhandler(SecurityError)
    def foreign_host(error: SecurityError) -> Response:
        # Without a host of ours there are no addresses for a page to link to.
        return Response("This address does not belong to the hub.\n", 400, mimetype="text/plain")

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if error.response is not None:
            return error.response  # type: ignore[return-value]
        response = answer(error.code or 500)
        for name, value in error.get_headers():
            if name not in ("Content-Type", "Content-Length"):
                response.headers[name] = value
        return response

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    def database_away(error: Exception) -> Response:
        db.session.rollback()
        log.error("database", error=str(error)[:300])
        return answer(503, **{"Retry-After": "5"})

    @app.errorhandler(DataError)
    @app.errorhandler(OverflowError)
    def beyond(error: Exception) -> Response:
        # A number too long for its column, a NUL in a text: no page of ours sends them.
        db.session.rollback()
        log.warning("beyond what can be kept", path=request.path, error=str(error)[:300])
        return answer(400)

    @app.errorhandler(OSError)
    def system(error: OSError) -> Response:
        if error.errno == 28:  # ENOSPC
            log.error("disk full")
            return answer(507)
        return broken(error)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        if app.testing or app.debug:
            raise error
        db.session.rollback()
        log.exception("unhandled", path=request.path)
        return answer(500)
