"""Reads what a package asks to have installed: requirements.txt, pyproject.toml, packages.txt."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from datalab_package.problems import PackageProblem
from datalab_package.texts import read_text

KEPT_OPTIONS = frozenset(
    {"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--no-binary", "--only-binary"}
)
DEEPEST = 5
"""Files that name each other by `-r`."""

DEBIAN_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_PASSWORD = re.compile(r"https?://[^/\s@]+@")
DEBIAN_VERSION = re.compile(r"[A-Za-z0-9.+:~*-]+")


@dataclass(frozen=True)
class Need:
    """One line that an installer is given, and where the author wrote it. `name` is normalised, empty for options."""

    text: str
    name: str
    file: str
    line: int


@dataclass
class Needs:
    """All that a package asks for, gathered from its files."""

    python: list[Need] = field(default_factory=list)
    constraints: list[Need] = field(default_factory=list)
    debian: list[Need] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    local: bool = False
    """Whether a line names a path of the package, so that its files must be there before the installer runs."""
    project: bool = False
    """Whether the package itself is a Python project to install."""
    prerelease: bool = False

    def names(self) -> set[str]:
        """Return the normalised names of the Python packages."""
        return {need.name for need in self.python if need.name}


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield the lines of a requirements file with their numbers, continued ones (`\`) joined, comments gone."""
    pending, first = "", 0
    for number, raw in enumerate(text.split("\n"), 1):
        first = first or number
        line = pending + raw
        if line.endswith("\\"):
            pending = line[:-1].rstrip() + " "
            continue
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        if line:
            yield first, line
        pending, first = "", 0
    if pending.strip():
        yield first, pending.strip()


def read_requirements(folder: Path, name: str, needs: Needs, *, constraints: bool = False, depth: int = 0) -> None:
    """Add the lines of a requirements file and of those that it names; raise `PackageProblem` with the line."""
    if depth > DEEPEST:
        raise PackageProblem(f"{name}: the files name each other too deeply by -r.", "", name)
    text = read_text(folder / name, name=name)
    needs.sources.append(name)
    for line, content in logical_lines(text):
        read_line(folder, Need(content, "", name, line), needs, constraints=constraints, depth=depth)


def read_line(folder: Path, given: Need, needs: Needs, *, constraints: bool = False, depth: int = 0) -> None:
    """Add what one line of a requirements file asks for; `given` is the line and where it stands."""
    content, name, line = given.text, given.file, given.line
    if _PASSWORD.search(content):
        needs.warnings.append(
            f"{name}, line {line} holds a password or a token: whoever launches the datalab can read it. Take it out."
        )
    option, _, rest = content.partition("=") if content.startswith("--") else content.partition(" ")
    option, _, more = option.strip().partition(" ")
    rest = (more or rest).strip()
    if option in {"-r", "--requirement", "-c", "--constraint"}:
        below = _below(folder, name, line, rest)
        is_constraint = constraints or option in {"-c", "--constraint"}
        read_requirements(folder, below, needs, constraints=is_constraint, depth=depth + 1)
    elif content.startswith("-") and option not in {"-e", "--editable"}:
        _option(content, option, name, line, needs)
    else:
        need = read_need(content, name, line, needs)
        (needs.constraints if constraints else needs.python).append(need)


def _below(folder: Path, name: str, line: int, rest: str) -> str:
    """Return the name, from the package's root, of a file that another one names."""
    target = (folder / name).parent / rest
    try:
        inside = bool(rest) and "://" not in rest and target.resolve().is_relative_to(folder.resolve())
        found = inside and target.is_file()
    except (OSError, ValueError):  # no file system has such a name
        found = False
    if not found:
        raise PackageProblem(
            f"{name}, line {line}: the file “{rest[:100]}” is not in the package.", "Put it there.", name, line
        )
    return target.resolve().relative_to(folder.resolve()).as_posix()


def _option(content: str, option: str, name: str, line: int, needs: Needs) -> None:
    if option == "--pre":
        needs.prerelease = True
    elif option in KEPT_OPTIONS:
        needs.python.append(Need(content, "", name, line))
    else:
        needs.warnings.append(f"{name}, line {line}: {option} is left out; the installer here does not know it.")


def read_need(content: str, name: str, line: int, needs: Needs) -> Need:
    """Read one requirement; raise `PackageProblem` if it is none."""
    if _CONTROL.search(content):
        raise PackageProblem(
            f"{name}, line {line}: there is a control character or a line break in a requirement.",
            "Write a package's name and perhaps a version, such as astropy>=6; one to a line.",
            name,
            line,
        )
    text = re.sub(r"^(-e|--editable)[ =]+", "", content)
    if text.startswith((".", "/")) or re.fullmatch(r"[\w./-]+\.(whl|tar\.gz|zip)", text):
        if text.startswith("/") or ".." in Path(text).parts:
            raise PackageProblem(f"{name}, line {line}: “{text}” is outside the package.", "Put it in.", name, line)
        needs.local = True
        return Need(content, "", name, line)
    if re.match(r"(git|hg|svn|bzr)\+|https?://", text):
        egg = re.search(r"#egg=([\w.-]+)", text)
        return Need(content, canonicalize_name(egg[1]) if egg else "", name, line)
    bare = re.split(r"\s--(?:hash|config-settings?|global-option)\b", text)[0]
    try:
        requirement = Requirement(bare)
    except InvalidRequirement as error:
        raise PackageProblem(
            f"{name}, line {line}: “{bare[:100]}” is not a requirement: {str(error).splitlines()[0]}.",
            "Write a package's name and perhaps a version, such as astropy>=6; one to a line.",
            name,
            line,
        ) from error
    return Need(text, canonicalize_name(requirement.name), name, line)


def read_pyproject(folder: Path, needs: Needs) -> None:
    """Add the dependencies of a `pyproject.toml`; raise `PackageProblem` if it can't be read."""
    name = "pyproject.toml"
    text = read_text(folder / name)
    try:
        data = tomllib.loads(text)
    except RecursionError as error:
        raise PackageProblem(f"{name} is nested too deeply.", file=name) from error
    except ValueError as error:  # TOML's own error is one, and so is that of a number with too many digits
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else 0
        raise PackageProblem(f"{name} is not TOML: {error}.", "", name, line) from error
    project = data.get("project")
    poetry = data.get("tool", {}).get("poetry") if isinstance(data.get("tool"), dict) else None
    if not isinstance(project, dict) and not isinstance(poetry, dict):
        return
    needs.sources.append(name)
    if isinstance(project, dict):
        _project(project, text, needs)
    if isinstance(poetry, dict) and not (isinstance(project, dict) and project.get("dependencies")):
        _poetry(poetry, text, needs)
    needs.project = "build-system" in data and _holds_modules(folder)


def _project(project: dict[str, Any], text: str, needs: Needs) -> None:
    dependencies = project.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(one, str) for one in dependencies):
        raise PackageProblem("pyproject.toml, project.dependencies must be a list of texts.", "", "pyproject.toml")
    for one in dependencies:
        needs.python.append(read_need(one, "pyproject.toml", _line_of(one, text), needs))
    if isinstance(wanted := project.get("requires-python"), str):
        check_python(wanted, "pyproject.toml", _line_of("requires-python", text), needs)


def _poetry(poetry: dict[str, Any], text: str, needs: Needs) -> None:
    dependencies = poetry.get("dependencies", {})
    for package, wanted in dependencies.items() if isinstance(dependencies, dict) else ():
        line = _line_of(package, text)
        version = wanted.get("version", "") if isinstance(wanted, dict) else wanted
        if package == "python":
            check_python(_caret(str(version)), "pyproject.toml", line, needs)
            continue
        if not isinstance(version, str) or (isinstance(wanted, dict) and wanted.keys() & {"git", "path", "url"}):
            raise PackageProblem(
                f"pyproject.toml, line {line}: {package} is written in a form that only Poetry reads.",
                "Write project.dependencies, or a requirements.txt (poetry export makes one).",
                "pyproject.toml",
                line,
            )
        if isinstance(wanted, dict) and wanted.get("optional"):
            continue
        extras = wanted.get("extras", []) if isinstance(wanted, dict) else []
        extra = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
        needs.python.append(read_need(f"{package}{extra}{_caret(version)}", "pyproject.toml", line, needs))


def _caret(version: str) -> str:
    """Write Poetry's `^1.2` and `~1.2` as every installer reads them."""
    parts = []
    for one in (part.strip() for part in version.split(",")):
        if one in {"", "*"}:
            continue
        sign, number = (one[0], one[1:]) if one[0] in "^~" else ("", one)
        if sign and re.fullmatch(r"=?\d{1,9}(\.\d{1,9}){0,5}", number):
            digits = [int(digit) for digit in number.lstrip("=").split(".") if digit]
            at = next((index for index, digit in enumerate(digits) if digit), len(digits) - 1) if sign == "^" else 1
            at = min(at, len(digits) - 1)
            upper = [*digits[:at], digits[at] + 1]
            parts.append(f">={number.lstrip('=')},<{'.'.join(map(str, upper))}")
        else:
            parts.append(one if one[0] in "<>=!~" else f"=={one}")
    return ",".join(parts)


def check_python(wanted: str, name: str, line: int, needs: Needs, present: str = "3.11") -> None:
    """Note it if the package asks for another Python than the base images have."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415  rarely needed

    try:
        fits = SpecifierSet(wanted).contains(f"{present}.2") or SpecifierSet(wanted).contains(present)
    except InvalidSpecifier:
        fits = True
    if not fits:
        needs.warnings.append(
            f"{name}, line {line} asks for Python {wanted.lstrip('=')}; the base image has {present}, with which it is "
            "tried. Versions of packages that are older than that Python may have to be left open."
        )


def _line_of(word: str, text: str) -> int:
    at = text.find(word)
    return text.count("\n", 0, at) + 1 if at >= 0 else 0


def _holds_modules(folder: Path) -> bool:
    return any(folder.glob("src/*/__init__.py")) or any(folder.glob("*/__init__.py"))


def read_packages(folder: Path, needs: Needs, name: str = "packages.txt") -> None:
    """Add the Debian packages of `packages.txt`: one or more to a line, `name` or `name=version`, comments by `#`."""
    needs.sources.append(name)
    for line, raw in enumerate(read_text(folder / name).split("\n"), 1):
        for word in raw.partition("#")[0].split():
            package, equals, version = word.partition("=")
            good = DEBIAN_NAME.fullmatch(package) and (not equals or DEBIAN_VERSION.fullmatch(version.lstrip("=")))
            if not good:
                raise PackageProblem(
                    f"{name}, line {line}: “{word[:100]}” is not a Debian package.",
                    "Write its name in small letters, and perhaps a version: topcat=4.8-8.",
                    name,
                    line,
                )
            text = f"{package}={version.lstrip('=')}" if version else package
            needs.debian.append(Need(text, package, name, line))
