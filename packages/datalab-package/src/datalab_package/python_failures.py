"""Recognises what Python's installers and the compilers below them say when they fail."""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

from datalab_package import known_names
from datalab_package.failure_told import Told, did_you_mean

_LOOSEN = "Leave versions open where the exact one does not matter, or put a newer one."


def _squeezed(log: str) -> str:
    return " ".join(log.split())


def uv_no_package(log: str) -> Told | None:
    """Recognise a package that the index does not have, and a version that a package does not have."""
    text = _squeezed(log)
    if found := re.search(r"Because (\S+) was not found in the package registry", text):
        name = found[1]
        advice = did_you_mean(name, "Check the name on the package's own page.")
        return Told(f"There is no Python package called {name}", advice, (name,), python=True)
    if found := re.search(
        r"Because there (?:is no version of|are no versions of) ([\w.-]+)(\S*) and you require", text
    ):
        advice = f"Leave the version of {found[1]} open, or name one that its page lists."
        return Told(f"There is no version {found[1]}{found[2].rstrip(',')}", advice, (found[1],), python=True)
    if found := re.search(r"Because only ([\w.-]+?)(<=?\S+) is available and you require ([^,\s]+)", text):
        return Told(
            f"There is no version {found[3]}; the newest is {found[2].lstrip('<=')}",
            f"Leave the version of {found[1]} open.",
            (found[1],),
            python=True,
        )
    return None


def uv_python(log: str) -> Told | None:
    """Recognise a package for another Python."""
    found = re.search(
        r"current Python version \((\S+)\) does not satisfy Python(\S+) and "
        r"(?:all versions of )?([\w.-]+)(\S*) depends? on",
        _squeezed(log),
    )
    if found:
        return _other_python(f"{found[3]}{found[4]}", found[2], found[1], found[3])
    found = re.search(  # each word tried once, at its beginning
        r"(?:Package '([\w.-]+)'|(?<!\S)([\w.-]+)\S*) requires a different Python: (\S+) not in '([^']+)'", log
    )
    if found:
        name = found[1] or found[2]
        return _other_python(name, found[4], found[3], name)
    return None


def _other_python(package: str, wanted: str, present: str, name: str) -> Told:
    advice = f"Leave the version of {name} open, so that one for Python {'.'.join(present.split('.')[:2])} is taken."
    if wanted.startswith(">"):
        advice = f"Take an older version of {name}, or tell the platform's operators that a newer Python is wanted."
    return Told(f"{package} needs Python {wanted}, and the base has {present}", advice, (name,), python=True)


def uv_conflict(log: str) -> Told | None:
    """Recognise two requirements that no version satisfies."""
    text = _squeezed(log)
    if "No solution found when resolving dependencies" not in text:
        return None
    needs = re.search(r"[Bb]ecause ([\w.\[\]-]+(?:[=<>!~]\S*)?) depends on ([\w.\[\]-]+[=<>!~][^\s]*)", text)
    if not needs:
        cause = text.partition("Because ")[2].partition("we can conclude that your requirements")[0]
        return Told("The packages do not fit together: " + cause[:400].rstrip(" ,"), _LOOSEN, python=True)
    who, wanted = needs[1], needs[2].rstrip(",")
    target = re.split(r"[\[=<>!~]", wanted)[0]
    rivals = [one.rstrip(",.") for one in re.findall(rf"you require ({re.escape(target)}[=<>!~]\S*)", text)]
    rivals = [one for one in rivals if one != wanted] or [
        one for one in re.findall(rf"(\S+) depends on {re.escape(target)}[=<>!~]\S*", text) if one != who
    ]
    rival = rivals[0] if rivals else f"another version of {target}"
    message = f"{who} needs {wanted}, which does not fit with {rival}"
    names = (rival, who, target) if rival.startswith(target) else (who, rival, target)
    return Told(
        message, f"Leave the version of {target} open, or choose another version of one of the two.", names, True
    )


def pip_conflict(log: str) -> Told | None:
    """Recognise the same in pip's words."""
    if "ResolutionImpossible" not in log and "conflicting dependencies" not in log:
        return None
    asked = re.search(r"The user requested (\S+)", log)
    needs = re.search(r"^\s+(\S+) (\S+) depends on (\S+?)([<>=!~].*)$", log, re.MULTILINE)
    if asked and needs:
        who, target = f"{needs[1]} {needs[2]}", needs[3]
        message = f"{who} needs {target}{needs[4].strip()}, which does not fit with {asked[1]}"
        advice = f"Leave the version of {target} open, or choose another version of one of the two."
        return Told(message, advice, (asked[1], needs[1]), python=True)
    found = re.search(r"Cannot install (.+?) because", log)
    names = tuple(re.split(r", | and ", found[1])) if found else ()
    return Told(f"These do not fit together: {', '.join(names) or 'the packages'}", _LOOSEN, names, python=True)


def _package_built(log: str) -> str:
    """Return which Python package was being built, as its installer names it."""
    failed = re.findall(r"Failed to (?:download and )?build `([\w.-]+)==", log)
    if failed:
        return str(failed[0])
    found = re.search(
        r"(?:Building wheel for|Failed building wheel for|Getting requirements to build wheel for) ([\w.-]+)", log
    )
    return found[1] if found else ""


def missing_header(log: str) -> Told | None:
    """Recognise a header that a compiler, or a library that a linker or loader, did not find."""
    package = _package_built(log)
    subject = f"{package} is compiled here, and " if package else ""
    if found := re.search(r"fatal error: '?([\w./+-]+\.h(?:pp)?)'?(?::| file not found)", log):
        header = found[1]
        debian = known_names.HEADER_TO_DEBIAN.get(header, "")
        advice = "" if debian else "Find the Debian package that brings it, and add that."
        return Told(f"{subject}the header {header} is missing", advice, (package,), python=True, debian=debian)
    patterns = (
        r"cannot find -l([\w.+-]+)",
        r"(?:No package|Package) '?([\w.+-]+)'?,? (?:found|was not found|required by)",
        r"pkg-config --exists ([\w.+-]+)",
        r"(lib[\w.+-]+?)\.so[\d.]*: cannot open shared object file",
    )
    for pattern in patterns:
        for name in re.findall(pattern, log):
            if debian := known_names.LIBRARY_TO_DEBIAN.get(name, ""):
                return Told(f"{subject}the library {name} is missing", "", (package,), python=True, debian=debian)
    return None


def missing_program(log: str) -> Told | None:
    """Recognise a compiler or another program that is not there."""
    package = _package_built(log)
    subject = f"{package} needs the program " if package else "There is no program "
    end = ", which is not there" if package else ""
    patterns = (
        r"command '([\w.+-]+)' failed: No such file or directory",
        r"No such file or directory: '([\w.+-]+)'",
        r"unable to execute '([\w.+-]+)'",
        r"(?:Could not run|unable to find) ([\w.+-]+-config)",
        r"(\w+_config) (?:executable )?not found",
        r"Unknown compiler\(s\): \[\['(\w+)'",
        r"(?:bash|/bin/sh|sh): (?:line )?(?:\d+: )?([\w.+-]+): (?:command )?not found",
        r'exec: "([\w.+-]+)": executable file not found',
    )
    for pattern in patterns:
        for name in re.findall(pattern, log):
            if name in {"conda", "mamba", "micromamba"}:
                advice = "Leave the Dockerfile out: environment.yml is read here without conda. Or use pip install."
                return Told(f"The base images have no {name}", advice)
            if debian := known_names.PROGRAM_TO_DEBIAN.get(name, ""):
                return Told(f"{subject}{name}{end}", "", (package,), python=bool(package), debian=debian)
    if found := re.search(patterns[-2], log):
        return Told(f"There is no program {found[1]}", "Install it in a step before, or check its name.")
    return None


def too_old(log: str) -> Told | None:
    """Recognise packages that were written for another time of Python."""
    modules = "pkg_resources|distutils|imp"
    if not re.search(
        rf"use_2to3 is invalid|No module named '(?:{modules})'|Missing parentheses in call to 'print'", log
    ):
        return None
    package = _package_built(log)
    advice = "Look for a newer version, or for its successor."
    if canonicalize_name(package) == "pyfits":
        advice = "Its successor is astropy.io.fits, which jl_base has."
    message = f"{package or 'A package'} was written for an older Python and can't be built"
    return Told(message, advice, (package,), python=True)


def pip_no_package(log: str) -> Told | None:
    """Recognise in pip's words a package or a version that is not there."""
    found = re.search(r"No matching distribution found for ([\w.-]+)(\S*)", log)
    if not found:
        return None
    name = found[1]
    versions = re.search(r"\(from versions: ([^)]*)\)", log)
    if versions and versions[1].strip() not in {"none", ""}:
        newest = versions[1].split(",")[-1].strip()
        message = f"There is no version {name}{found[2]}; the newest for this Python is {newest}"
        return Told(message, f"Leave the version of {name} open.", (name,), python=True)
    advice = did_you_mean(name, "Check the name, and whether it has a version for this Python.")
    return Told(f"There is no Python package called {name}", advice, (name,), python=True)


def no_file(log: str) -> Told | None:
    """Recognise a requirements file that is not there."""
    found = re.search(r"Could not open requirements file: .*?'([^']+)'|error: File not found: `([^`]+)`", log)
    if not found:
        return None
    name = (found[1] or found[2]).rpartition("/")[2]
    advice = (
        "Put it into the package, COPY it before this step, or leave the step out: without a Dockerfile it is optional."
    )
    return Told(f"The file {name} is not there", advice)
