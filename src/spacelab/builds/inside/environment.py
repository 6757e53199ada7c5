"""Makes a Python environment inside a build's sandbox: run with the path of the order, a JSON file.

The order says: `target` folder, `python` to build upon, `uv`, `cache`, `requirements` (files, in order; the last is the
package's own), `loose` (the same with the base's versions left open), `overrides`, `package` folder, `base` (a finished
environment to start from, or empty), `modules` that must be there in the end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

BEGAN = time.monotonic()
STEPS = 4
NO_SOLUTION = "No solution found"


def step(number: int, title: str) -> None:
    """Announce a step in the log, with the seconds since the build began."""
    print(f"STEP {number}/{STEPS} +{time.monotonic() - BEGAN:.2f}s: {title}", flush=True)  # noqa: T201  the log


def run(argv: list[str], cwd: str) -> tuple[int, str]:
    """Run a program, showing what it says; return its exit code and what it said."""
    said: list[str] = []
    with subprocess.Popen(argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            said.append(line)
            print(line, end="", flush=True)  # noqa: T201  the log
    return process.returncode, "".join(said)


def install(order: dict[str, object], files: list[str]) -> tuple[int, str]:
    """Install what the files require."""
    words = [word for file in files for word in ("-r", file)]
    words += [word for file in _texts(order["overrides"]) for word in ("--overrides", file)]
    target = Path(str(order["target"]))
    python = str(target / "bin" / "python")
    argv = [str(order["uv"]), "pip", "install", "--python", python, "--no-progress", "--color=never", *words]
    return run(argv, str(order["package"]))


def make_empty(order: dict[str, object], target: Path) -> int:
    """Make an environment without packages, or copy the base's."""
    base = str(order["base"])
    if base:
        step(1, "Copying the base environment")
        return run(["cp", "-a", "--reflink=auto", f"{base}/.", str(target)], "/")[0]
    step(1, "Making an empty environment")
    options = ("--relocatable", "--no-project", "--python", str(order["python"]))
    return run([str(order["uv"]), "venv", "--quiet", "--allow-existing", *options, str(target)], "/")[0]


def missing_modules(order: dict[str, object], target: Path) -> list[str]:
    """List the modules that the package imports and the environment can't find."""
    code = (
        "import importlib.util, sys\n"
        "def there(name):\n"
        "    try:\n"
        "        return importlib.util.find_spec(name) is not None\n"
        "    except (ImportError, ValueError):\n"
        "        return False\n"
        "print('\\n'.join(name for name in sys.argv[1:] if not there(name)))"
    )
    argv = [str(target / "bin" / "python"), "-c", code, *_texts(order["modules"])]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=str(order["package"]))
    return done.stdout.split()


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def main() -> int:
    """Make the environment; return the exit code."""
    order = json.loads(Path(sys.argv[1]).read_text())
    target = Path(order["target"])
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    os.environ["UV_CACHE_DIR"] = str(order["cache"])
    if make_empty(order, target):
        return 1
    step(2, "Fetching and installing packages")
    code, said = install(order, _texts(order["requirements"]))
    if code and NO_SOLUTION in said and order["loose"]:
        print("The base's versions don't go with the package's: choosing others.", flush=True)  # noqa: T201  the log
        code, said = install(order, _texts(order["loose"]))
    if code:
        return code
    step(3, "Compiling")
    python = str(target / "bin" / "python")
    run([python, "-m", "compileall", "-q", "-j", "0", str(target / "lib")], "/")
    step(4, "Looking whether everything that is imported is there")
    for name in missing_modules(order, target):
        print(f"NOT FOUND: nothing here provides “import {name}”.", flush=True)  # noqa: T201  the log
    frozen = subprocess.run(
        [str(order["uv"]), "pip", "freeze", "--python", python, "--color=never"],
        capture_output=True,
        text=True,
        check=False,
    )
    (target / "locked.txt").write_text(frozen.stdout)
    print(f"{len(frozen.stdout.splitlines())} packages are installed.", flush=True)  # noqa: T201  the log
    return 0


if __name__ == "__main__":
    sys.exit(main())
