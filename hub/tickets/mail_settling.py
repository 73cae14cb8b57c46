"""What a person decides about a parked mail: a ticket for someone, or nothing."""

from ..accounts.models import User
from ..core import clock, storage
from ..core.database import db
from ..core.errors import Invalid
from ..core.i18n import _l
from ..core.mail import receive
from ..partners.service import partner_of
from . import mail_files
from .history import happened
from .mail_in import largest
from .mail_judging import begin_ticket
from .models import Ticket
from .models_mail import InboundMail, Outcome


def read(mail: InboundMail) -> receive.Received:
    """The mail taken apart again; of one that cannot be, its head and the beginning of its bytes as text."""
    with storage.open(mail.raw_key) as stream:
        raw = stream.read()
    try:
        if mail.size > largest():
            raise receive.Unreadable("too_large")
        return receive.parse(raw)
    except Exception:  # whatever made the mail a parked one
        received = receive.skim(raw)
        received.text = receive.as_text(raw[:20_000])
        return received


def open_as_ticket(
    mail: InboundMail, actor: User, email: str, received: receive.Received, kept: mail_files.Kept
) -> Ticket:
    """Open a ticket with a parked mail for the person with this address, as if they had written it."""
    requester = may_ask(email)
    if requester is None:
        raise Invalid(email=[_l("No active member of a partner has this address.")])
    refuse_settled(mail)
    ticket, message = begin_ticket(mail, received, kept, requester)
    happened(ticket, actor, "mail_opened", address=mail.sender)
    mail.outcome, mail.ticket_id, mail.post_id = Outcome.CREATED, ticket.id, message.id
    settle(mail, actor)
    return ticket


def may_ask(email: str) -> User | None:
    """The active member of a partner with this address, if there is one."""
    user = db.session.scalar(db.select(User).where(User.email == email.strip().lower()))
    return user if user is not None and user.is_active and partner_of(user) is not None else None


def dismiss(mail: InboundMail, actor: User) -> None:
    """Nothing is to be done about it; it stays in the list of all mails."""
    refuse_settled(mail)
    settle(mail, actor)


def settle(mail: InboundMail, actor: User) -> None:
    mail.settled_at, mail.settled_by_id = clock.now(), actor.id


def refuse_settled(mail: InboundMail) -> None:
    """Two people of the team decide about one mail: the first one's word counts."""
    db.session.refresh(mail, with_for_update={"of": InboundMail})
    if not mail.waits_for_a_person:
        raise Invalid(_l("This mail has been dealt with already."))
