"""Run the whole suite twice: on SQLite with the embedded queue, then on PostgreSQL with Redis.

Arguments go to pytest. What the servers and the browser tests need is installed first where that is
possible; elsewhere this says exactly what is missing. It stops at the first run that fails, so that the
closing lines are always pytest's own and tell the truth.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NO_TESTS_SELECTED = 5
BACKENDS = ("sqlite", "postgresql")


def main() -> int:
    """Install what is missing, run both, and return pytest's status."""
    os.chdir(ROOT)
    install_missing()
    for backend in BACKENDS:
        print(f"\n── tests on {backend} ──", flush=True)
        environment = {**os.environ, "HUB_TEST_BACKEND": backend}
        command = [sys.executable, "-m", "pytest", *parallel(), *sys.argv[1:]]
        status = subprocess.call(command, env=environment)
        if status not in (0, NO_TESTS_SELECTED):
            return status
    return 0


def parallel() -> list[str]:
    """Use every core, unless the arguments ask for something that needs one process."""
    alone = {"-n", "-p", "--pdb", "--trace", "-s"}
    return [] if alone & set(sys.argv[1:]) else ["-n", "auto"]


def missing_packages() -> list[str]:
    """Return the Debian packages that hold what is not on this machine."""
    postgresql = shutil.which("postgres") or any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    here = {
        "chromium": shutil.which("chromium"),
        "postgresql": postgresql,
        "redis-server": shutil.which("redis-server"),
        "dovecot-imapd": shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin"),
    }
    return [package for package, found in here.items() if not found]


def install_missing() -> None:
    """Install the missing packages through apt when we may, else say what to install."""
    packages = missing_packages()
    if not packages:
        return
    root = os.geteuid() == 0
    may_sudo = bool(shutil.which("sudo")) and subprocess.call(["sudo", "--non-interactive", "true"]) == 0
    if not shutil.which("apt-get") or not (root or may_sudo):
        sys.exit(
            "The tests need these programs: "
            + ", ".join(packages)
            + ". On Debian and Ubuntu: apt-get install "
            f"{' '.join(packages)}. Elsewhere: a Chromium, a PostgreSQL, a Redis and a Dovecot server on the PATH."
        )
    print(f"· installing {', '.join(packages)}", flush=True)
    apt = ["apt-get"] if root else ["sudo", "apt-get"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update", "--quiet"], check=True, env=quiet)
    install = ["install", "--yes", "--quiet", "--no-install-recommends", *packages]
    subprocess.run([*apt, *install], check=True, env=quiet)


if __name__ == "__main__":
    sys.exit(main())
