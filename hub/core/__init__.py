"""The platform: shared machinery that knows no room."""
