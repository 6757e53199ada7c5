"""Reads a conda `environment.yml` as packages of PyPI and Debian, and names what neither has."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from datalab_package import known_names
from datalab_package.problems import PackageProblem
from datalab_package.requirements import Need, Needs, check_python, read_line, read_need
from datalab_package.texts import read_nodes

CONDA_FILES = ("environment.yml", "environment.yaml")

_SPEC = re.compile(r"(?:[\w./-]+::)?(?P<name>[A-Za-z0-9_.-]+)(?:\[[^\]]*\])?\s*(?P<version>[=<>!~ ].*)?")


def read_environment(folder: Path, name: str, needs: Needs) -> None:
    """Add what an `environment.yml` asks for; raise `PackageProblem` for what only conda has, with the line."""
    needs.sources.append(name)
    root = read_nodes(folder / name)
    entries = next((value for key, value in root.value if key.value == "dependencies"), None)
    if entries is None:
        return
    if not isinstance(entries, yaml.SequenceNode):
        raise PackageProblem(f"{name}: dependencies must be a list.", "", name, entries.start_mark.line + 1)
    ignored: list[str] = []
    for entry in entries.value:
        line = entry.start_mark.line + 1
        if isinstance(entry, yaml.ScalarNode):
            _package(entry.value.strip(), name, line, needs, ignored)
        elif isinstance(entry, yaml.MappingNode):
            _pip(folder, entry, name, needs)
        else:
            raise PackageProblem(f"{name}, line {line} is no package.", "", name, line)
    if ignored:
        needs.warnings.append(
            f"{name}: left out, because other packages bring it for themselves: {', '.join(sorted(ignored))}."
        )


def _pip(folder: Path, entry: yaml.MappingNode, name: str, needs: Needs) -> None:
    for key, value in entry.value:
        line = key.start_mark.line + 1
        if key.value != "pip" or not isinstance(value, yaml.SequenceNode):
            raise PackageProblem(f"{name}, line {line}: only pip can hold a list here.", "", name, line)
        for one in value.value:
            line = one.start_mark.line + 1
            if not isinstance(one, yaml.ScalarNode):
                raise PackageProblem(f"{name}, line {line} is no package.", "", name, line)
            if text := " ".join(one.value.split()):
                read_line(folder, Need(text, "", name, line), needs)


def _package(text: str, name: str, line: int, needs: Needs, ignored: list[str]) -> None:
    """Translate one line such as `conda-forge::numpy=1.26=py311h`."""
    found = _SPEC.fullmatch(text)
    if not found:
        raise PackageProblem(f"{name}, line {line}: “{text[:100]}” is no package of conda's.", "", name, line)
    package, version = found["name"].lower(), _version(found["version"] or "")
    debian = known_names.CONDA_TO_DEBIAN.get(package)
    if package == "python":
        if version:
            check_python(version, name, line, needs)
    elif package in {"pip", "setuptools", "wheel"}:
        pass  # every environment here has what these are for
    elif package in known_names.CONDA_NOT_NEEDED or package.startswith(("lib", "_", "xorg-")):
        ignored.append(package)
    elif debian:
        needs.debian.append(Need(debian, debian, name, line))
    elif package.startswith("r-"):
        cran = f"r-cran-{package[2:]}"
        needs.debian.append(Need(cran, cran, name, line))
    else:
        _refuse_elsewhere(package, name, line)
        pypi = known_names.CONDA_TO_PYPI.get(package, found["name"])
        needs.python.append(read_need(f"{pypi}{version}", name, line, needs))


def _refuse_elsewhere(package: str, name: str, line: int) -> None:
    where = known_names.CONDA_ELSEWHERE.get(package)
    only_conda = package.startswith(("bioconductor-", "perl-", "cuda", "cudnn", "nccl"))
    if where or only_conda or known_names.CONDA_TO_PYPI.get(package) == "":
        advice = (
            "Packages of PyPI such as torch bring their own CUDA: leave this line out."
            if package.startswith(("cuda", "cudnn", "nccl"))
            else f"It belongs to {where}: install that in a Dockerfile of your own."
            if where
            else "Leave it out, or install it in a Dockerfile of your own."
        )
        raise PackageProblem(f"{name}, line {line}: neither PyPI nor Debian has “{package}”.", advice, name, line)


def _version(text: str) -> str:
    """Write conda's version the way PyPI's installers read it; a build's name (`=py311h`) is dropped."""
    text = text.strip().replace(" ", "")
    if not text or text == "*":
        return ""
    if text[0] not in "=<>!~":
        text = f"={text}"
    exact = re.fullmatch(r"(==?)([^=<>!~,|*]+)(\.?\*)?(=.*)?", text)
    if exact:
        whole = exact[1] == "==" or exact[4]
        return f"=={exact[2]}" if whole and not exact[3] else f"=={exact[2].rstrip('.')}.*"
    return ",".join(part for part in text.split("|")[0].split(",") if part)
