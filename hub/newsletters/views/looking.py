"""Beside the editor: what the mail looks like, as whom, what can be put in, and what is missing."""

from flask import Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from ...core.access import Permission, requires
from ...core.database import transaction
from ...core.i18n import LOCALES, _, filesize, ngettext
from .. import audience, choosing, linkcheck, previews
from ..audience import Recipient
from ..blocks import Kind
from . import bp
from .writing import find, readiness_of

#: The preview is a mail: its styles are inline, its pictures may be anywhere, nothing in it may run.
PREVIEW_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {images}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox"
)
PICTURES = "'self' https: data:"


@bp.get("/newsletters/<int:number>/checks")
@requires(Permission.NEWSLETTERS_MANAGE)
def readiness(number: int) -> ResponseReturnValue:
    """The list before sending, on its own."""
    newsletter = find(number)
    return render_template("newsletters/_checks.html", newsletter=newsletter, **readiness_of(newsletter))


@bp.get("/newsletters/<int:number>/preview/<locale>")
@requires(Permission.NEWSLETTERS_MANAGE)
def preview(number: int, locale: str) -> ResponseReturnValue:
    """The mail as it will arrive, as one of its readers if asked.

    `part=text` is its plain text, `theme=dark` what a dark mailbox makes of it, `images=off` what is seen
    before pictures are allowed.
    """
    newsletter = find(number)
    letter = previews.preview(newsletter, locale, _reader())
    if letter is None:
        response = make_response(render_template("newsletters/_unwritten.html"))
    elif request.args.get("part") == "text":
        response = Response(letter.text, mimetype="text/plain")
    else:
        response = make_response(previews.themed(letter.html, request.args.get("theme") == "dark"))
    images = "'none'" if request.args.get("images") == "off" else PICTURES
    response.headers["Content-Security-Policy"] = PREVIEW_CSP.format(images=images)
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@bp.get("/newsletters/<int:number>/preview/<locale>/head")
@requires(Permission.NEWSLETTERS_MANAGE)
def preview_head(number: int, locale: str) -> ResponseReturnValue:
    """What a mailbox lists: the subject when filled, how long it is, how large the mail is; and the text made from the body."""
    newsletter, reader = find(number), _reader()
    letter = previews.preview(newsletter, locale, reader)
    if letter is None:
        return jsonify(subject="", about="", text="")
    length = len(letter.subject)
    about = ngettext("%(count)s character when filled", "%(count)s characters when filled", length)
    size = filesize(len(letter.html.encode()) + len(letter.text.encode()))
    text = previews.generated_text(newsletter, locale)
    left_out = previews.left_out(newsletter, locale, reader) if reader else []
    apart = _("Left out for this reader: %(blocks)s.", blocks=", ".join(left_out)) if left_out else ""
    return jsonify(subject=letter.subject, about=f"{about} · {size}", text=text, apart=apart)


def _reader() -> Recipient | None:
    return audience.recipient(request.args.get("reader", 0, type=int))


@bp.get("/newsletters/readers")
@requires(Permission.NEWSLETTERS_MANAGE)
def readers() -> ResponseReturnValue:
    """People of active partners whose name, organisation or address has some letters, for the preview."""
    found = audience.named(request.args.get("q", "")[:100])
    return jsonify([{"id": each.user.id, "label": _label(each)} for each in found])


def _label(reader: Recipient) -> str:
    return f"{reader.user.name}, {reader.partner.name} ({reader.user.email})"


@bp.get("/newsletters/blocks/<kind>")
@requires(Permission.NEWSLETTERS_MANAGE)
def block_choices(kind: str) -> ResponseReturnValue:
    """What a block of a kind can show, the newest first."""
    language = request.args.get("language", "")
    offers = (
        choosing.offers(
            Kind(kind), request.args.get("q", "")[:100], language if language in LOCALES else "en"
        )
        if kind in set(Kind)
        else []
    )
    return render_template("newsletters/_offers.html", offers=offers)


@bp.post("/newsletters/<int:number>/links")
@requires(Permission.NEWSLETTERS_MANAGE)
def try_links(number: int) -> ResponseReturnValue:
    """Try its links again."""
    newsletter = find(number)
    with transaction():
        linkcheck.ask(newsletter, again=True)
    return jsonify(trying=_("The links are being tried."))
