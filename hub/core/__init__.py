"""The platform: shared machinery that knows no room."""

from .lean import without

with without("greenlet"):  # structlog would load it wherever it is installed, whoever imports it first: 1 MB
    import structlog  # noqa: F401
