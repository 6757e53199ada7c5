"""A person's own packages for one datalab: a few files that make a virtual environment over the datalab's own.

`pip install` in a session lands in the overlay, shadows what the environment ships, and is there in the next session.
"""

from __future__ import annotations

import os

PIP = """#!/bin/sh
exec "{bin}/python" -m pip "$@"
"""

KERNEL = """{{
 "argv": ["{bin}/python", "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"],
 "display_name": "Python 3 (ipykernel)", "language": "python", "metadata": {{"debugger": true}}
}}
"""
"""Takes the place of the environment's own kernel, so that a notebook sees the overlay. The server doesn't: a person's
package can break her kernel, which says so, but not JupyterLab itself."""


def _write(path: str, text: str, mode: int = 0o644) -> None:
    try:
        with open(path) as file:  # noqa: PTH123  pathlib would double the supervisor's memory
            if file.read() == text:
                return
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  as above
    fresh = f"{path}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(fresh, path)  # noqa: PTH105  as above


def _link(target: str, path: str) -> None:
    if os.path.islink(path) and os.readlink(path) == target:  # noqa: PTH114, PTH115  as above
        return
    fresh = f"{path}.{os.getpid()}"
    os.symlink(target, fresh)  # noqa: PTH211  as above
    os.replace(fresh, path)  # noqa: PTH105  as above


def make(overlay: str, environment: str, interpreter: str, version: str) -> None:
    """Make the overlay at `overlay` over the environment at `environment`, or mend what is missing of it.

    `interpreter` is the base interpreter's path, `version` its full version, such as `3.11.7`. Raises `OSError` when
    the home can't be written.
    """
    short = ".".join(version.split(".")[:2])
    programs = f"{overlay}/bin"
    packages = f"{overlay}/lib/python{short}/site-packages"
    os.makedirs(programs, exist_ok=True)  # noqa: PTH103  pathlib would double the supervisor's memory
    base = os.path.dirname(interpreter)  # noqa: PTH120  as above
    for name in ("python", "python3", f"python{short}"):
        _link(interpreter, f"{programs}/{name}")
    pth = f"import site; site.addsitedir({environment + f'/lib/python{short}/site-packages'!r})\n"
    bundled = f"{os.path.dirname(base)}/lib/python{short}/ensurepip/_bundled"  # noqa: PTH120  as above
    if os.path.isdir(bundled):  # noqa: PTH112  as above
        wheels = sorted(name for name in os.listdir(bundled) if name.startswith("pip-"))  # noqa: PTH208  as above
        pth += "".join(f"{bundled}/{name}\n" for name in wheels[-1:])
    _write(f"{packages}/_environment.pth", pth)
    for name in ("pip", "pip3"):
        _write(f"{programs}/{name}", PIP.format(bin=programs), 0o755)
    if os.path.isdir(f"{environment}/share/jupyter"):  # noqa: PTH112  as above
        _write(f"{overlay}/share/jupyter/kernels/python3/kernel.json", KERNEL.format(bin=programs))
    _write(
        f"{overlay}/pyvenv.cfg", f"home = {base}\ninclude-system-site-packages = false\nversion = {version}\n"
    )  # last: only now is it an environment
