"""Commands of the platform: processes, routes, database. Rooms add their own."""

import json
import sys

import click
from flask import current_app
from flask.cli import ScriptInfo, with_appcontext

from . import jobs, lean
from .doctor import doctor
from .migrations import bring_up_to_date, is_up_to_date, write
from .serve import Child, Supervisor, is_answering, is_listening, web_command
from .settings import Settings, settings, warnings


@click.command("routes")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@with_appcontext
def routes(as_json: bool) -> None:
    """List every address with its endpoint, methods and permission."""
    rows = [
        {
            "rule": rule.rule,
            "endpoint": rule.endpoint,
            "methods": sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}),
            "permission": getattr(current_app.view_functions[rule.endpoint], "access", None),
        }
        for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        click.echo(f"{'|'.join(row['methods']):12} {row['rule']:50} {row['endpoint']:35} {row['permission']}")


@click.command("migrate")
@with_appcontext
def migrate() -> None:
    """Bring the database to the newest form."""
    bring_up_to_date()


@click.command("migration")
@click.argument("message")
@with_appcontext
def migration(message: str) -> None:
    """Write a migration from what has changed in the models."""
    write(message)


@click.command("serve")
@click.pass_context
def serve(context: click.Context) -> None:
    """Run the web server and the worker until Ctrl-C."""
    here = Settings()
    host, port = here.host, here.port
    if is_listening(host, port):
        raise click.ClickException(f"Port {port} of {host} is taken. Choose another with HUB_PORT.")
    web = web_command("hub.wsgi:app", host, port, here.web_threads)
    supervisor = Supervisor(
        [Child("web server", web), Child("worker", [sys.executable, "-m", "hub.cli", "worker"])]
    )
    try:
        if is_up_to_date(here):
            supervisor.start()  # while this process gets ready, too
        with context.ensure_object(ScriptInfo).load_app().app_context():
            for warning in warnings(settings):
                click.echo(f"Warning: {warning}", err=True)
            bring_up_to_date()
            if not settings.is_production:
                _show_demo(context)
    except BaseException:
        supervisor.stop()
        raise
    sys.exit(
        supervisor.run(
            is_ready=lambda: is_answering(host, port),
            when_ready=lambda: click.echo(f"Partner Hub is at {here.base_url} – Ctrl-C stops it."),
        )
    )


def _show_demo(context: click.Context) -> None:
    """Fill an empty database with the demo and print its sign-ins; the command is a room's, found by name."""
    group = context.find_root().command
    demo = group.get_command(context, "demo") if isinstance(group, click.Group) else None
    if demo is not None:
        context.invoke(demo, if_empty=True)


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Run background jobs until SIGTERM, which lets the running ones finish."""
    lean.give_back()
    consumer = jobs.queue().create_consumer(
        workers=settings.worker_threads,
        worker_type="thread",
        max_delay=1.0,
        graceful_signal="TERM",
        shutdown_timeout=20,
    )
    consumer.run()


commands = [routes, migrate, migration, serve, worker, doctor]
