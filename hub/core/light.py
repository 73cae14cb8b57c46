"""Addresses that other people's sites lead through: answered without what only pages need.

A referral link is followed by strangers in passing. Their request needs no sign-in, no language, no limits
and no compression, which together cost five times as much as the answer itself.
"""

import base64
from collections.abc import Callable
from typing import TypeVar

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

Function = TypeVar("Function")

#: A GIF of one pixel that shows nothing.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


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


def quick(answer: Callable[..., ResponseReturnValue | None]) -> Callable[[Function], Function]:
    """Let `answer` try first, with only the hooks that are marked `always`; on None the view does it all.

    `answer` gets what the view gets. It decides itself who may have what, knows no language, and leaves
    everything unusual, refusals too, to the view.
    """

    def decorate(view: Function) -> Function:
        view.quick = answer  # type: ignore[attr-defined]
        return view

    return decorate


class Application(Flask):
    """Flask, with light and quick views."""

    def preprocess_request(self) -> ResponseReturnValue | None:
        view = self.view_functions.get(request.endpoint or "")
        if hasattr(view, "is_light"):
            return self._preprocess_always()
        if quickly := getattr(view, "quick", None):
            answer: ResponseReturnValue | None = self._preprocess_always()
            answer = answer if answer is not None else quickly(**request.view_args or {})
            if answer is not None:
                g.is_quick = True
                return answer
        return super().preprocess_request()

    def _preprocess_always(self) -> ResponseReturnValue | None:
        for hook in self.before_request_funcs[None]:
            if hasattr(hook, "is_always") and (answer := hook()) is not None:
                return answer  # type: ignore[return-value]
        return None

    def process_response(self, response: Response) -> Response:
        view = self.view_functions.get(request.endpoint or "")
        if not hasattr(view, "is_light") and "is_quick" not in g:
            return super().process_response(response)
        for hook in reversed(self.after_request_funcs[None]):
            if hasattr(hook, "is_always"):
                response = hook(response)
        return response
