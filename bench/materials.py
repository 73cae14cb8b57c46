"""Referral links, downloads, the gallery at 10,000 assets, and the memory that a ZIP of a gigabyte takes."""

import getpass
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from .client import Client, interleaved
from .rows import Row, against
from .server import ROOT, environment, hub, spare_port, wait_until_listening, web

ASSETS, FILE_KB, ROUNDS, WARM_UP = 10_000, 200, 150, 20
THREADS, FOLLOWED = 4, 1000
ZIP_FILES, ZIP_FILE_MB = 10, 100
SIGN_IN = "/sign-in"
#: Grows the demo: many assets, one file of the size that is downloaded, a kit of a gigabyte.
GROW = """
import io, json, os, sys
from sqlalchemy import insert, select
from hub.accounts.models import User
from hub.app import create_app
from hub.core import clock, storage
from hub.core.database import db, transaction
from hub.materials import taking
from hub.materials.models import Asset, AssetTag, AssetVersion, Kind
from hub.partners.models import Membership, Partner
assets, file_kb, files, file_mb, email = *map(int, sys.argv[1:5]), sys.argv[5]
sizes, locales, tags = ((300, 250), (728, 90), (160, 600), (970, 250)), ("en", "ru", "uk", "pl", None), ("blog", "shop", "sale")
app = create_app()
with app.app_context():
    def kept(size):
        return storage.store(io.BytesIO(os.urandom(1000) * (size // 1000)), limit=size)
    def add(number, stored, kind, mime, ending):
        width, height = sizes[number % 4] if kind is Kind.IMAGE else (None, None)
        asset = Asset(kind=kind, title=f"Banner {number}", width=width, height=height, locale=locales[number % 5], is_stale=False)
        asset.tags = [tags[number % 3]]
        db.session.add(asset)
        db.session.flush()
        db.session.add(AssetVersion(asset_id=asset.id, key=stored.key, sha256=stored.sha256, size=stored.size, mime=mime, filename=f"{number}.{ending}", width=width, height=height))
        return asset
    small, file = kept(1000), kept(file_kb * 1000)
    big = [kept(file_mb * 1_000_000) for _ in range(files)]
    with transaction():
        user = db.session.scalars(select(User).where(User.email == email)).one()
        code = db.session.scalars(select(Partner.code).join(Membership).where(Membership.user_id == user.id)).first()
        for number in range(assets):
            asset = add(number, small, Kind.IMAGE, "image/png", "png")
        one = add(assets, file, Kind.DOCUMENT, "application/pdf", "pdf")
        kit = taking.make_kit(user, "A gigabyte")
        for number, stored in enumerate(big):
            db.session.flush()
            taking.put(add(assets + 1 + number, stored, Kind.VIDEO, "video/mp4", "mp4"), kit)
    print(json.dumps({"code": code, "public_id": asset.public_id, "folder": str(app.extensions["hub.storage"].folder), "key": file.key, "document": one.id, "kit": kit.id}))
"""

#: A front end that sends the stored files itself: plainly, and when the hub behind it has said so.
NGINX = """
daemon off; user {user}; pid {home}/nginx.pid; worker_processes 1;
events {{ }}
http {{
  access_log off; sendfile on; default_type application/octet-stream;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  upstream hub {{ server 127.0.0.1:{behind}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    location /plain/ {{ alias {folder}/; }}
    location /files/ {{ internal; alias {folder}/; }}
    location / {{
      proxy_pass http://hub; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
    }}
  }}
}}
"""


def measure(home: Path) -> Iterator[Row]:
    """Yield the rows of the group; the data is the demo's and more, in scratch folder `home`."""
    port, bare_port = spare_port(), spare_port()
    env = environment(home, port)
    hub(env, "migrate")
    person = next(who for who in json.loads(hub(env, "demo", "--json")) if who["role"] == "partner")
    made = grow(env, person["email"])
    with ExitStack() as stack:
        stack.enter_context(
            web(
                "bench.baseline:create_app()",
                bare_port,
                os.environ | {"BENCH_FILE": f"{made['folder']}/{made['key']}"},
            )
        )
        process = stack.enter_context(web("hub.wsgi:app", port, env))
        partner, bare = Client(f"http://127.0.0.1:{port}"), Client(f"http://127.0.0.1:{bare_port}")
        partner.sign_in(SIGN_IN, person["email"], person["password"])
        # Links are followed by visitors, who have no session.
        visitor, link = Client(partner.base), f"/go/{made['code']}/{made['public_id']}?to=/pricing"
        medians = interleaved(
            {
                "empty": (bare, "/"),
                "materials.go": (visitor, link),
                "materials.gallery": (partner, "/materials/"),
                "file": (bare, "/file"),
                "materials.download": (partner, f"/materials/{made['document']}/download"),
            },
            ROUNDS,
            WARM_UP,
            status={"materials.go": 302},
        )
        yield against(
            "materials.go", medians["materials.go"], medians["empty"], scale=1, backend="sqlite", unit="ms"
        )
        rates = in_turns(port, link, bare_port)
        yield against("materials.go_rate", *rates, scale=THREADS, backend="sqlite", unit="1/s")
        # As rates, for that is how the promise is put: at least so much of what a bare file gets.
        rates = 1000 / medians["materials.download"], 1000 / medians["file"]
        yield against("materials.download", *rates, scale=FILE_KB, backend="sqlite", unit="1/s")
        yield against(
            "materials.gallery",
            medians["materials.gallery"],
            medians["empty"],
            scale=ASSETS,
            backend="sqlite",
            unit="ms",
        )
        yield from through_nginx(env, made, partner)
        peak, size = zip_peak(partner, f"/materials/kits/{made['kit']}/download", process)
        yield Row("materials.zip_peak_mb", round(size / 1_000_000), "sqlite", round(peak, 1), "MB")


def through_nginx(env: dict[str, str], made: dict[str, str], partner: Client) -> Iterator[Row]:
    """Yield the row of a file that nginx sends when the hub has allowed it, against the same file without a hub."""
    program = shutil.which("nginx")
    if not program:
        print("materials.nginx: left out, nginx is not installed", file=sys.stderr)
        return
    port, behind = spare_port(), spare_port()
    home = Path(env["HUB_HOME"])
    config = home / "nginx.conf"
    config.write_text(
        NGINX.format(user=getpass.getuser(), home=home, port=port, behind=behind, folder=made["folder"])
    )
    with web("hub.wsgi:app", behind, env | {"HUB_ACCEL_PREFIX": "/files"}):
        nginx = subprocess.Popen([program, "-c", str(config), "-p", str(home), "-e", str(home / "nginx.log")])
        try:
            wait_until_listening(port)
            client = Client(f"http://127.0.0.1:{port}")
            client.cookies = dict(partner.cookies)
            medians = interleaved(
                {
                    "plain": (client, f"/plain/{made['key']}"),
                    "allowed": (client, f"/materials/{made['document']}/download"),
                },
                ROUNDS,
                WARM_UP,
            )
        finally:
            nginx.terminate()
            nginx.wait(30)
    rates = 1000 / medians["allowed"], 1000 / medians["plain"]
    yield against("materials.nginx", *rates, scale=FILE_KB, backend="sqlite", unit="1/s")


def grow(env: dict[str, str], email: str) -> dict[str, str]:
    """Add the data; return what is where."""
    numbers = map(str, (ASSETS, FILE_KB, ZIP_FILES, ZIP_FILE_MB))
    command = [sys.executable, "-c", GROW, *numbers, email]
    done = subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def in_turns(port: int, path: str, bare_port: int) -> tuple[float, float]:
    """Return how many answers a second the hub gives to several visitors, and how many the empty page."""
    turns = [(rate(port, path), rate(bare_port, "/")) for _ in range(3)]
    return statistics.median(ours for ours, _ in turns), statistics.median(bare for _, bare in turns)


def rate(port: int, path: str) -> float:
    """Let several visitors ask as fast as they can; return answers a second."""

    def visit() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(FOLLOWED // THREADS):
            connection.request("GET", path)
            connection.getresponse().read()

    visitors = [threading.Thread(target=visit) for _ in range(THREADS)]
    start = time.perf_counter()
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    return FOLLOWED / (time.perf_counter() - start)


def zip_peak(client: Client, path: str, process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Download a ZIP piece by piece; return by how many MB the server's memory grew at most, and the bytes."""
    server = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
    Path(f"/proc/{server}/clear_refs").write_text("5")  # the peak counts from now (proc(5))
    before = memory(server, "VmRSS")
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    client.connection.request("GET", path, headers={"Cookie": cookie})
    answer, size = client.connection.getresponse(), 0
    while piece := answer.read(1 << 20):
        size += len(piece)
    if answer.status != 200 or size != int(answer.headers["Content-Length"]):
        raise RuntimeError(f"GET {path} answered {answer.status} with {size} bytes")
    return memory(server, "VmHWM") - before, size


def memory(process: str, name: str) -> float:
    """Return a figure of /proc/…/status in MB of 1,048,576 bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024
