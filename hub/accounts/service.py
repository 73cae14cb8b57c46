"""What can be done with people: let them in, invite them, change their role, send them away."""

from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from ..core import audit, clock
from ..core.access import Role
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import LOCALES, _l
from ..core.settings import settings
from . import attempts, letters, links, passwords, second_factor, sessions
from .models import LinkPurpose, User, by_email

STAFF = (Role.AGENT, Role.MANAGER, Role.ADMIN)


class AddressTaken(Invalid):
    message = _l("Somebody with this address is here already.")

    def __init__(self) -> None:
        super().__init__(email=[self.message])


class NoAddress(Invalid):
    def __init__(self, text: str) -> None:
        super().__init__(email=[_l("“%(text)s” is not an e-mail address.", text=text)])


class AlreadyIn(HubError):
    message = _l("This person has accepted the invitation already.")


class LastAdmin(HubError):
    message = _l("This is the only admin left. Make somebody else an admin first.")


class NotYourself(HubError):
    message = _l("Another admin has to do this for you.")


class OtherSide(HubError):
    message = _l("People of a partner stay with the partner. Invite staff under an address of their own.")


# --- Signing in ------------------------------------------------------------


def find(email: str) -> User | None:
    """The person with this address, whatever its case."""
    return db.session.scalar(select(User).where(by_email(email)))


def authenticate(email: str, password: str) -> User | None:
    """Who this is, if the password is right: also somebody who is disabled."""
    user = find(email)
    return user if passwords.is_right(user.password_hash if user else None, password) and user else None


def enter(
    user: User, *, password: str | None = None, address: str | None, browser: str | None, is_kept: bool
) -> str:
    """Begin a session of someone who has proved who they are; its token."""
    for whose in (
        (attempts.NEAR, user.email, address or ""),
        (attempts.ACCOUNT, user.email),
        (attempts.CODE, str(user.id)),
    ):
        attempts.forget(*whose)
    if password and user.password_hash and passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.digest(password)
    audit.record(user, "user.signed_in", f"user:{user.id}")
    return sessions.begin(user, address=address, browser=browser, is_kept=is_kept)


def set_password(user: User, password: str, *, field: str = "password", keep: str | None = None) -> None:
    """Give `user` a new password and end their sessions, except the one with token `keep`.

    Raises Invalid, about `field`, when it is too easy to guess.
    """
    weakness = passwords.weakness(password, user.email, user.name, settings.programme_name)
    if weakness:
        raise Invalid(None, **{field: [weakness]})
    user.password_hash = passwords.digest(password)
    links.discard(user, LinkPurpose.RESET)
    sessions.end_all(user, but=keep)
    attempts.forget(attempts.ACCOUNT, user.email)


def send_reset(email: str) -> None:
    """Send a link to a new password, if there is somebody to send it to; nobody learns which."""
    attempts.record(attempts.LINKS, email)
    user = find(email)
    if user is not None and user.is_active and attempts.left(attempts.LINKS, email) >= 0:
        letters.reset(user, links.make(user, LinkPurpose.RESET))
        audit.record(None, "user.reset_asked", f"user:{user.id}")


def reset_password(secret: str, password: str) -> User:
    """Set the password of whoever the link was sent to. Raises LinkGone, Invalid."""
    user = links.use(secret, LinkPurpose.RESET)
    set_password(user, password)
    audit.record(user, "user.password_reset", f"user:{user.id}")
    letters.changed(user, "password-changed")
    return user


def change_password(user: User, password: str) -> None:
    """Replace one's own password and end one's other sessions. Raises Invalid."""
    set_password(user, password, field="new", keep=user.session_token)
    audit.record(user, "user.password_changed", f"user:{user.id}")
    letters.changed(user, "password-changed")


# --- Inviting --------------------------------------------------------------


def is_address(text: str) -> bool:
    """Can mail be sent to `text`? Also to domains that exist in tests only."""
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def _check_new(email: str) -> None:
    """Raise NoAddress or AddressTaken when nobody new can have this address."""
    if not is_address(email):
        raise NoAddress(email)
    if find(email) is not None:
        raise AddressTaken


def invite(
    actor: Any,
    email: str,
    *,
    name: str,
    role: Role,
    locale: str = "",
    time_zone: str = "",
    organisation: str | None = None,
) -> User:
    """Make a person without a password and mail them an invitation, good for 72 hours.

    `organisation` is named in the mail: a partner's name; the programme's when
    it is None. Raises NoAddress, AddressTaken (each an Invalid about `email`).
    """
    _check_new(email)
    locale = locale if locale in LOCALES else settings.default_locale
    time_zone = time_zone or settings.programme_timezone
    user = User(email=email, name=name, role=role, locale=locale, time_zone=time_zone)
    db.session.add(user)
    db.session.flush()
    audit.record(actor, "user.invited", f"user:{user.id}", after={"email": user.email, "role": str(role)})
    _send_invitation(actor, user, organisation)
    return user


def invite_again(actor: Any, user: User, *, organisation: str | None = None) -> None:
    """Send a fresh invitation; the earlier one opens nothing any more. Raises AlreadyIn."""
    if not user.is_invited:
        raise AlreadyIn
    audit.record(actor, "user.invited_again", f"user:{user.id}")
    _send_invitation(actor, user, organisation)


def _send_invitation(actor: Any, user: User, organisation: str | None) -> None:
    secret = links.make(user, LinkPurpose.INVITATION)
    inviter = getattr(actor, "name", None) or settings.programme_name
    letters.invitation(user, secret, inviter=inviter, organisation=organisation)


def accept_invitation(secret: str, *, name: str, password: str, locale: str, time_zone: str) -> User:
    """Take a name and a password and be in. Raises LinkGone, Invalid."""
    user = links.use(secret, LinkPurpose.INVITATION)
    user.name, user.locale, user.time_zone = name, locale, time_zone
    set_password(user, password)
    links.discard(user)
    audit.record(user, "user.invitation_accepted", f"user:{user.id}")
    return user


# --- Profile ---------------------------------------------------------------


def edit_profile(user: User, **values: Any) -> None:
    """Change one's name, language, time zone or theme."""
    before = {key: getattr(user, key) for key in values}
    for key, value in values.items():
        setattr(user, key, value)
    if before != values:
        audit.record(user, "user.profile_edited", f"user:{user.id}", before=before, after=values)


# --- Administration --------------------------------------------------------


def change_role(actor: User, user: User, role: Role) -> None:
    """Give a member of staff another role; they sign in again. Raises OtherSide, NotYourself, LastAdmin."""
    if role not in STAFF or user.role not in STAFF:
        raise OtherSide
    if user.role == role:
        return
    _guard(actor, user)
    audit.record(actor, "user.role_changed", f"user:{user.id}", before=str(user.role), after=str(role))
    user.role = role
    sessions.end_all(user)


def disable(actor: User, user: User) -> None:
    """Shut `user` out at once, with every open page. Raises NotYourself, LastAdmin."""
    if not user.is_active:
        return
    _guard(actor, user)
    user.disabled_at = clock.now()
    links.discard(user)
    sessions.end_all(user)
    audit.record(actor, "user.disabled", f"user:{user.id}")


def enable(actor: User, user: User) -> None:
    """Let `user` sign in again."""
    if user.is_active:
        return
    user.disabled_at = None
    audit.record(actor, "user.enabled", f"user:{user.id}")


def end_sessions(actor: User, user: User) -> None:
    """Sign `user` out everywhere."""
    sessions.end_all(user)
    audit.record(actor, "user.sessions_ended", f"user:{user.id}")


def drop_second_factor(actor: User, user: User) -> None:
    """Help someone who has lost their telephone and their recovery codes. Raises NotYourself."""
    if actor.id == user.id:
        raise NotYourself
    second_factor.switch_off(user)
    sessions.end_all(user)
    audit.record(actor, "user.second_factor_dropped", f"user:{user.id}")
    letters.changed(user, "second-factor-off")


def _guard(actor: User, user: User) -> None:
    """Nobody takes their own rights away, and somebody always remains to give rights."""
    if actor.id == user.id:
        raise NotYourself
    if user.role is Role.ADMIN and user.is_active and _count_admins() < 2:
        raise LastAdmin


def _count_admins() -> int:
    # Locked, so that two admins cannot take each other's place at the same moment.
    admins = (
        select(User.id)
        .where(User.role == Role.ADMIN, User.disabled_at.is_(None))
        .with_for_update(key_share=True)
    )
    return len(list(db.session.scalars(admins)))


def create(email: str, name: str, role: Role, password: str | None, **values: Any) -> User:
    """Add a person from the command line. Raises NoAddress, AddressTaken, Invalid."""
    _check_new(email)
    user = User(email=email, name=name, role=role, **values)
    db.session.add(user)
    db.session.flush()
    if password is not None:
        set_password(user, password)
    audit.record(None, "user.created", f"user:{user.id}", after={"email": user.email, "role": str(role)})
    return user
