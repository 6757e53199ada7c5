"""Makes a Python environment inside a build's sandbox: run with the path of the order, a JSON file.

The order says: `target` folder, `python` to build upon, `uv`, `cache`, the files `base_file` (the base's requirements),
`open_file` (the same with their versions left open) and `own_file` (the package's own), `limits` (files of
constraints), `overrides` of the base and `own_overrides`, whether `prerelease`s are taken, the `package` folder and a
`source` folder to copy it to if something of it is installed (a whole `project`), `base` (a finished environment to
start from, or empty), and whether that is `cloned` into the target already.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

BEGAN = time.monotonic()
STEPS = 4
NO_SOLUTION = "No solution found"
NOT_THERE = "not found in the package registry"


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


def install(order: dict[str, object], files: list[str], constraints: list[str]) -> tuple[int, str]:
    """Install what the files require, at no other versions than the constraints allow."""
    words = [word for file in files for word in ("-r", file)]
    words += [word for file in (*constraints, *_texts(order["limits"])) for word in ("-c", file)]
    own = [str(order["own_overrides"])] if order["own_overrides"] else []
    words += [word for file in (*_texts(order["overrides"]), *own) for word in ("--overrides", file)]
    words += ["--prerelease=allow"] if order["prerelease"] else []
    return uv(order, "install", *words)


def uv(order: dict[str, object], verb: str, *words: str) -> tuple[int, str]:
    """Run `uv pip` on the new environment."""
    python = str(Path(str(order["target"])) / "bin" / "python")
    argv = [str(order["uv"]), "pip", verb, "--python", python, "--cache-dir", str(order["cache"])]
    argv += ["--no-progress", "--color=never", *words]
    return run(argv, str(order["source"] or order["package"]))


def install_all(order: dict[str, object]) -> int:
    """Install the package's requirements on top of the base, changing as little of the base as they let."""
    base, own = str(order["base_file"]), str(order["own_file"])
    if order["base"]:
        if not Path(own).read_text().strip():
            return 0
        code, said = install(order, [own], [base])
        if not code and uv(order, "check")[0]:
            code, said = 1, NO_SOLUTION
    else:
        code, said = install(order, [base, own], [])
    if code and NO_SOLUTION in said and NOT_THERE not in said and Path(base).read_text().strip():
        print("The base's versions don't go with the package's: choosing others.", flush=True)  # noqa: T201  the log
        code, said = install(order, [str(order["open_file"]), own], [])
    return code


def compile_new(target: Path) -> None:
    """Compile the modules that nobody compiled before."""
    tag = sys.implementation.cache_tag
    fresh = [
        str(file)
        for file in (target / "lib").rglob("*.py")
        if not (file.parent / "__pycache__" / f"{file.stem}.{tag}.pyc").exists()
    ]
    if not fresh:
        return  # an empty list would mean everything that there is
    listed = target / ".to-compile"
    listed.write_text("\n".join(fresh))
    run([str(target / "bin" / "python"), "-m", "compileall", "-q", "-j", "0", "-i", str(listed)], "/")
    listed.unlink()


def make_empty(order: dict[str, object], target: Path) -> int:
    """Make an environment without packages, or copy the base's."""
    base = str(order["base"])
    if order["cloned"]:
        step(1, "Taking over the base environment")
        return 0
    if base:
        step(1, "Copying the base environment")
        return run(["cp", "-a", "--reflink=auto", f"{base}/.", str(target)], "/")[0]
    step(1, "Making an empty environment")
    options = ("--relocatable", "--no-project", "--python", str(order["python"]))
    return run([str(order["uv"]), "venv", "--quiet", "--allow-existing", *options, str(target)], "/")[0]


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def main() -> int:
    """Make the environment; return the exit code."""
    order = json.loads(Path(sys.argv[1]).read_text())
    target = Path(order["target"])
    if not order["cloned"]:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
    if make_empty(order, target):
        return 1
    step(2, "Fetching and installing packages")
    if order["source"]:
        shutil.copytree(order["package"], order["source"], symlinks=True)
    code = install_all(order)
    if not code and order["project"]:
        code = uv(order, "install", "--no-deps", str(order["source"]))[0]
    if code:
        return code
    step(3, "Compiling")
    compile_new(target)
    python = str(target / "bin" / "python")
    step(4, "Writing down what is installed")
    frozen = subprocess.run(
        [str(order["uv"]), "pip", "freeze", "--python", python, "--color=never"],
        capture_output=True,
        text=True,
        check=False,
    )
    (target / "locked.txt").unlink(missing_ok=True)
    (target / "locked.txt").write_text(frozen.stdout)
    print(f"{len(frozen.stdout.splitlines())} packages are installed.", flush=True)  # noqa: T201  the log
    return 0


if __name__ == "__main__":
    sys.exit(main())
