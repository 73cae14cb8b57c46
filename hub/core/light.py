"""Addresses that other people's sites lead through: answered without what only pages need.

A referral link is followed by strangers in passing. Their request needs no sign-in, no language, no limits
and no compression, which together cost five times as much as the answer itself.
"""

from typing import TypeVar

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

Function = TypeVar("Function")


def light(view: Function) -> Function:
    """Answer this public view with only the hooks that are marked `always`.

    Such a view knows no user and no language; it answers errors itself.
    """
    view.is_light = True  # type: ignore[attr-defined]
    return view


def always(hook: Function) -> Function:
    """Run this before- or after-request hook for light views too."""
    hook.is_always = True  # type: ignore[attr-defined]
    return hook


class Application(Flask):
    """Flask, with light views."""

    def preprocess_request(self) -> ResponseReturnValue | None:
        if not self._is_light():
            return super().preprocess_request()
        for hook in self.before_request_funcs[None]:
            if hasattr(hook, "is_always") and (answer := hook()) is not None:
                return answer  # type: ignore[return-value]
        return None

    def process_response(self, response: Response) -> Response:
        if not self._is_light():
            return super().process_response(response)
        for hook in reversed(self.after_request_funcs[None]):
            if hasattr(hook, "is_always"):
                response = hook(response)
        return response

    def _is_light(self) -> bool:
        return hasattr(self.view_functions.get(request.endpoint or ""), "is_light")
