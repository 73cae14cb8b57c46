"""Copy what pages need from node_modules to hub/static/vendor, and compress every static file ahead of time.

Run after `npm ci --ignore-scripts`. Does nothing when neither the lock nor a source has changed.
"""

import gzip
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

import brotli

ROOT = Path(__file__).resolve().parents[1]
HUB = ROOT / "hub"
STATIC = HUB / "static"
VENDOR = STATIC / "vendor"
MODULES = ROOT / "node_modules"
STAMP = VENDOR / ".stamp"

FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "socket.io-client/dist/socket.io.esm.min.js": "socket.io.js",
    "chart.js/dist/chart.umd.min.js": "chart.js",
    "@github/markdown-toolbar-element/dist/index.js": "markdown-toolbar.js",
    "@github/file-attachment-element/dist/index.js": "file-attachment.js",
}
# One file for all weights where a page shows many, one for each of the two weights of titles and sums.
FONTS = {
    "@fontsource-variable/onest/files/onest": ("wght",),
    "@fontsource/source-serif-4/files/source-serif-4": ("500", "600"),
}
SUBSETS = ("latin", "latin-ext", "cyrillic")
# Icons whose names reach a template through data, so that no literal shows them to the scan below.
DECLARED_ICONS = """
    adjustments-horizontal alert-circle alert-triangle archive arrow-down arrow-left arrow-right arrow-up
    arrow-up-right ban bell bold book-2 bookmark braces brand-youtube bulb calendar calendar-event calendar-plus
    calendar-time certificate chart-bar check checks chevron-down chevron-left chevron-right chevron-up circle
    circle-check clock code coins copy credit-card device-desktop device-mobile dots download edit external-link
    eye eye-off file file-code file-text file-type-pdf filter flag forms gift git-merge globe hash headset
    heading help history home id inbox info-circle italic key language layout-grid link list list-check
    list-numbers lock login logout mail mail-opened map-pin menu-2 message message-circle messages minus moon
    news note package paperclip percentage phone photo pin player-play plus presentation qrcode question-mark
    quote receipt refresh report robot rocket scale school search send settings share shield-check sort-ascending
    sort-descending sparkles star sun sun-moon table tag target thumb-down thumb-up ticket trash trending-down
    trending-up trophy typography upload user user-check user-circle user-plus users video wallet wifi-off
    world x zoom-question
""".split()  # noqa: SIM905
ICON = re.compile(r"""(?<![a-z])icon(?:\(|\s*[=:]\s*)["']([a-z0-9-]+)["']""")
# Components of Tabler that our pages never use: more than half of its 635 KB, which a phone would parse for nothing.
UNUSED_COMPONENTS = """
    accordion alert avatar bg bs-popover bs-tooltip calendar callout card carousel chat datagrid dimmer divide
    dropdown dropend dropstart dropup flag io legend link list-group loader markdown mention modal navbar nav offcanvas otp
    payment popover progressbg ribbon signal signature social sortable sparkline stars step steps strength switch
    theme timeline tooltip tracking
""".split()  # noqa: SIM905
UNUSED = re.compile(rf"\.(?:{'|'.join(UNUSED_COMPONENTS)})(?![a-z])|\[data-vc|data-bs-(?:navbar|sidebar)")
# A string is one token, so that a brace inside it is not one.
TOKEN = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]""", re.DOTALL)
LICENCE = re.compile(r"(?:/\*.*?\*/)?", re.DOTALL)
SELECTOR = re.compile(r"(?:[^,()]|\((?:[^()]|\([^()]*\))*\))+")
NOT = re.compile(r":not\((?:[^()]|\([^()]*\))*\)")
COMPRESSED = {".css", ".js", ".svg", ".html", ".json"}


def main() -> None:
    """Build, unless what was built last time came from the same input."""
    if not MODULES.exists():
        sys.exit("node_modules is missing: run `npm ci --ignore-scripts` first.")
    icons = sorted(wanted_icons())
    stamp = fingerprint(icons)
    if STAMP.exists() and STAMP.read_text() == stamp:
        return
    VENDOR.mkdir(parents=True, exist_ok=True)
    copy_packages()
    (VENDOR / "icons.svg").write_text(sprite(icons), encoding="utf-8")
    for path in static_files():
        compress(path)
    STAMP.write_text(stamp)


def wanted_icons() -> set[str]:
    """Names declared above and those written in a template or a module: `icon('name')`, `icon="name"`."""
    names = set(DECLARED_ICONS)
    for path in HUB.rglob("*"):
        if path.suffix in {".html", ".py"}:
            names.update(ICON.findall(path.read_text(encoding="utf-8")))
    return names


def fingerprint(icons: list[str]) -> str:
    """Digest of everything the result depends on: this script, the lock, the icons, our own static files."""
    digest = hashlib.sha256(" ".join(icons).encode())
    for path in [Path(__file__), ROOT / "package-lock.json", *own_files()]:
        digest.update(path.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def own_files() -> list[Path]:
    """Static files of our own that are worth compressing."""
    return sorted(p for p in static_files() if VENDOR not in p.parents)


def static_files() -> Iterator[Path]:
    return (p for p in STATIC.rglob("*") if p.suffix in COMPRESSED)


def copy_packages() -> None:
    """Copy scripts, styles and fonts; drop source-map comments, whose targets we do not ship."""
    for source, target in FILES.items():
        text = (MODULES / source).read_text(encoding="utf-8")
        text = re.sub(r"\n?(//|/\*)# sourceMappingURL=\S+( \*/)?", "", text)
        (VENDOR / target).write_text(slim(text) if target.endswith(".css") else text, encoding="utf-8")
    fonts = VENDOR / "fonts"
    fonts.mkdir(exist_ok=True)
    for (beginning, weights), subset in product(FONTS.items(), SUBSETS):
        for weight in weights:
            source = MODULES / f"{beginning}-{subset}-{weight}-normal.woff2"
            shutil.copyfile(source, fonts / source.name)


def slim(css: str) -> str:
    """Leave out the selectors of components we do not use, and the rules and blocks that end up empty."""
    return "".join(slim_rule(*rule) for rule in rules(css))


def rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Split minified CSS into (selector or @rule, body); a statement such as @charset has no body."""
    start = 0
    while start < len(css):
        end, depth = start, 0
        for token in TOKEN.finditer(css, start):
            end = token.end()
            depth += {"{": 1, "}": -1}.get(token[0], 0)
            if depth == 0 and token[0] in "};":
                break
        head, brace, body = css[start:end].partition("{")
        yield head, body[:-1] if brace else None
        start = max(end, start + 1)


def slim_rule(head: str, body: str | None) -> str:
    if body is None:
        return head
    if head.startswith(("@media", "@supports", "@layer", "@container")):
        inner = slim(body)
        return f"{head}{{{inner}}}" if inner else ""
    if head.startswith("@"):
        return f"{head}{{{body}}}"
    licence = LICENCE.match(head)[0]  # type: ignore[index]
    selectors = head[len(licence) :]
    kept = [selector for selector in SELECTOR.findall(selectors) if not UNUSED.search(NOT.sub("", selector))]
    return f"{licence}{','.join(kept)}{{{body}}}" if kept else licence


def sprite(names: list[str]) -> str:
    """One SVG with a symbol per icon; what a symbol inherits is set by the `.icon` class of the page."""
    nodes = json.loads((MODULES / "@tabler/icons/tabler-nodes-outline.json").read_text(encoding="utf-8"))
    unknown = [name for name in names if name not in nodes]
    if unknown:
        sys.exit(f"Not in @tabler/icons: {', '.join(unknown)}")
    root = Element("svg", xmlns="http://www.w3.org/2000/svg")
    for name in names:
        symbol = SubElement(root, "symbol", id=name, viewBox="0 0 24 24")
        for tag, attributes in nodes[name]:
            SubElement(symbol, tag, {key: str(value) for key, value in attributes.items()})
    return tostring(root, encoding="unicode")


def compress(path: Path) -> None:
    """Lay `.br` and `.gz` beside a file, as the static route serves them."""
    data = path.read_bytes()
    path.with_name(path.name + ".br").write_bytes(brotli.compress(data))
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(data, mtime=0))


if __name__ == "__main__":
    main()
