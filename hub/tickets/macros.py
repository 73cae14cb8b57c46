"""Prepared answers: variables that are filled in from the ticket, and what is done when one is sent."""

import re
from collections.abc import Callable
from contextlib import suppress

from ..accounts.models import User
from ..core.i18n import speaking
from . import fields
from .assigning import assign
from .classifying import classify, set_tags
from .errors import UnfilledVariable
from .field_values import BadValue
from .models import Category, Macro, Priority, Status, Ticket
from .states import set_status

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def _tier(ticket: Ticket, agent: User) -> str:
    with speaking(ticket.requester.locale):
        return ticket.partner.tier.name if ticket.partner.tier else ""


VARIABLES: dict[str, Callable[[Ticket, User], str]] = {
    "name": lambda ticket, agent: ticket.requester.name,
    "first_name": lambda ticket, agent: ticket.requester.name.split()[0] if ticket.requester.name else "",
    "partner": lambda ticket, agent: ticket.partner.name,
    "code": lambda ticket, agent: ticket.partner.code,
    "tier": _tier,
    "website": lambda ticket, agent: ticket.partner.website or "",
    "manager": lambda ticket, agent: ticket.partner.manager.name if ticket.partner.manager else "",
    "number": lambda ticket, agent: str(ticket.number),
    "subject": lambda ticket, agent: ticket.subject,
    "agent": lambda ticket, agent: agent.name,
}


def fill(text: str, ticket: Ticket, agent: User) -> str:
    """`text` with its variables filled in; one that is unknown or empty stays, for the agent to see."""

    def value(found: re.Match[str]) -> str:
        of_ticket = VARIABLES.get(found[1])
        return (of_ticket(ticket, agent) if of_ticket else "") or found[0]

    return _VARIABLE.sub(value, text)


def check_filled(body: str) -> None:
    """Raises UnfilledVariable when a text that is to be sent still has one."""
    if (found := _VARIABLE.search(body)) is not None:
        raise UnfilledVariable(found[1])


def act(macro: Macro, ticket: Ticket, agent: User) -> None:
    """Do what belongs to a macro, after its text was sent."""
    actions = macro.actions
    if "priority" in actions or "category" in actions:
        classify(
            ticket,
            agent,
            priority=Priority(actions.get("priority", ticket.priority)),
            category=Category(actions.get("category", ticket.category)),
        )
    if "field" in actions and (pair := fields.read_pair(actions["field"])):
        with suppress(BadValue):  # a choice withdrawn since is left out, as an archived field is
            fields.fill_in(ticket, agent, {pair[0]: pair[1]})
    if "tag" in actions:
        set_tags(ticket, agent, [*ticket.tags, actions["tag"]])
    if "assign" in actions:
        assign(ticket, agent, agent if actions["assign"] == "me" else None)
    if "status" in actions:
        set_status(ticket, agent, Status(actions["status"]))
