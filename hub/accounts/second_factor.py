"""The second factor: codes that change every thirty seconds (RFC 6238), and recovery codes."""

import pyotp
from sqlalchemy import delete, func, or_, select, update

from ..core import clock
from ..core.database import db, touched
from ..core.errors import HubError
from ..core.i18n import _l
from ..core.qr import qr_code
from ..core.settings import Switch, settings
from .models import RecoveryCode, User
from .secrets import fingerprint, recovery_code

STEP = 30  # seconds
#: Clocks differ: a code of the step before or after is good too.
DRIFT = (0, -1, 1)
CODES = 10


class WrongCode(HubError):
    status = 422
    message = _l("This code is not right. Codes change every 30 seconds; enter the newest one.")


def is_required(user: User) -> bool:
    """Must this person set up a second factor before anything else?"""
    return settings.staff_totp is Switch.ON and user.is_staff and not user.totp_secret


def new_secret() -> str:
    """A secret for an authenticator app, not yet anybody's."""
    return pyotp.random_base32()


def qr(user: User, secret: str) -> str:
    """The secret as a picture for the app's camera, in a `data:` address."""
    address = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=settings.programme_name)
    drawn: str = qr_code(address).svg_data_uri(scale=5, border=2, dark="#16201f", light="#ffffff")
    return drawn


def switch_on(user: User, secret: str, code: str) -> list[str]:
    """Make `secret` the person's second factor and return fresh recovery codes. Raises WrongCode."""
    step = _step(secret, code)
    if step is None:
        raise WrongCode
    user.totp_secret, user.totp_step = secret, step
    return renew_recovery_codes(user)


def switch_off(user: User) -> None:
    """Sign in with the password alone from now on."""
    user.totp_secret = user.totp_step = None
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def accept(user: User, code: str) -> bool:
    """Is it a code of this moment, or an unused recovery code? It is used up either way."""
    code = "".join(code.split()).lower()
    step = _step(user.totp_secret, code)
    if step is None:
        return _use_recovery_code(user, code)
    newer = update(User).where(User.id == user.id, or_(User.totp_step.is_(None), User.totp_step < step))
    return touched(newer.values(totp_step=step)) == 1


def _step(secret: str | None, code: str) -> int | None:
    """The time step that `code` belongs to."""
    code = "".join(code.split())
    if not secret or not (code.isascii() and code.isdigit()):
        return None
    present = int(clock.now().timestamp()) // STEP
    generator = pyotp.TOTP(secret)
    fitting = (
        present + off
        for off in DRIFT
        if pyotp.utils.strings_equal(generator.generate_otp(present + off), code)
    )
    return next(fitting, None)


def renew_recovery_codes(user: User) -> list[str]:
    """Ten fresh codes, shown once; earlier ones are worthless."""
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [recovery_code() for _ in range(CODES)]
    db.session.add_all(RecoveryCode(user_id=user.id, code_hash=_digest(code)) for code in codes)
    db.session.flush()
    return codes


def recovery_codes_left(user: User) -> int:
    """How many recovery codes are unused."""
    unused = select(func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(unused) or 0


def _use_recovery_code(user: User, code: str) -> bool:
    mine = update(RecoveryCode).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return touched(mine.where(RecoveryCode.code_hash == _digest(code)).values(used_at=clock.now())) == 1


def _digest(code: str) -> str:
    return fingerprint(code.replace("-", ""))
