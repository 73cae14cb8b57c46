"""A real IMAP server for a test: Dovecot with a configuration, a port and mailboxes of its own."""

import getpass
import grp
import imaplib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from .servers import MISSING, MissingServer, spare_port, wait_for

PASSWORD = "pass/@:word"
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


class Dovecot:
    """Started in the constructor; runs as root and as anyone else. A mailbox is there as soon as it is named."""

    def __init__(self) -> None:
        program = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if not program:
            raise MissingServer(MISSING.format("Dovecot", "dovecot-imapd"))
        self.folder = Path(tempfile.mkdtemp(prefix="hub-dovecot-"))
        self.folder.chmod(0o755)
        self.port = spare_port()
        root = os.geteuid() == 0
        me = getpass.getuser()
        owner = pwd.getpwnam("nobody" if root else me)  # the server opens no mailbox as root
        mail = self.folder / "mail"
        mail.mkdir()
        if root:
            os.chown(mail, owner.pw_uid, owner.pw_gid)
        (self.folder / "conf").write_text(
            CONFIGURATION.format(
                folder=self.folder,
                login="dovenull" if root else me,
                internal="dovecot" if root else me,
                group="dovecot" if root else _group(me),
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                port=self.port,
                password=PASSWORD,
            )
        )
        command = [program, "-F", "-c", self.folder / "conf"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_for(lambda: self.client("nobody@test").logout(), OSError)

    def client(self, user: str) -> imaplib.IMAP4:
        """A signed-in connection, in the inbox."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login(user, PASSWORD)
        client.select()
        return client

    def url(self, user: str, password: str = PASSWORD) -> str:
        return f"imap://{quote(user)}:{quote(password, safe='')}@127.0.0.1:{self.port}/INBOX"

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)


def _group(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
