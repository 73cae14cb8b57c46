"""How long the main pages take, as a ratio to an empty Flask page under the same web server."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from . import lighthouse
from .client import Client, interleaved
from .rows import Row, against
from .server import environment, hub, memory_mb, spare_port, web

ROUNDS, WARM_UP = 150, 20
SIGN_IN = "/sign-in"


def measure(home: Path) -> Iterator[Row]:
    """Yield the rows of the group; the data is the demo's, in scratch folder `home`."""
    port, bare_port = spare_port(), spare_port()
    env = environment(home, port)
    hub(env, "migrate")
    routes = {row["endpoint"]: row["rule"] for row in json.loads(hub(env, "routes", "--json"))}
    signins = {who["role"]: who for who in reversed(json.loads(hub(env, "demo", "--json")))}
    hub(env, "search", "rebuild")  # else a search would load no dictionary, and weigh nothing
    with ExitStack() as stack:
        stack.enter_context(web("bench.baseline:create_app()", bare_port))
        process = stack.enter_context(web("hub.wsgi:app", port, env))
        base = f"http://127.0.0.1:{port}"
        partner, agent = Client(base), Client(base)
        partner.sign_in(SIGN_IN, signins["partner"]["email"], signins["partner"]["password"])
        agent.sign_in(SIGN_IN, signins["agent"]["email"], signins["agent"]["password"])
        paths = {
            "pages.home": (partner, routes["home.index"]),
            "pages.article": (partner, first_link(partner, routes["kb.index"], r"/kb/[a-z]{2}/[\w-]+")),
            "pages.gallery": (partner, routes["materials.index"]),
            "pages.tickets": (agent, routes["tickets.inbox"]),
            "pages.ticket": (agent, first_link(agent, routes["tickets.inbox"] + "?view=all", r"/inbox/\d+")),
        }
        medians = interleaved(
            {"empty": (Client(f"http://127.0.0.1:{bare_port}"), "/"), **paths}, ROUNDS, WARM_UP
        )
        for name in paths:
            yield against(name, medians[name], medians["empty"], scale=1, backend="sqlite", unit="ms")
        load_every_language(partner)
        yield Row("memory.web_mb", 1, "sqlite", round(memory_mb(process), 1), "MB")
        shown = {name.removeprefix("pages."): (client, path) for name, (client, path) in paths.items()}
        shown["inbox"] = shown.pop("tickets")
        yield from lighthouse.measure(
            base, {name: shown[name] for name in ("home", "article", "gallery", "inbox")}
        )


def first_link(client: Client, path: str, pattern: str) -> str:
    """Return the first link of the page that matches."""
    match = re.search(rf'href="({pattern})["?#]', client.get(path))
    if match is None:
        raise RuntimeError(f"no link {pattern} on {path}")
    return match.group(1)


def load_every_language(client: Client) -> None:
    """Search once in each language, so that every dictionary is in memory when it is weighed."""
    for language, word in {"en": "banners", "ru": "баннеры", "uk": "банери", "pl": "banery"}.items():
        client.get("/search/?" + urlencode({"q": word, "lang": language}))
