"""Commands of the platform: routes, database. Rooms add their own."""

import json

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade


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
    upgrade()


commands = [routes, migrate]
