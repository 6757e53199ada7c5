"""Which version a command is about, and how builds and versions are put into words."""

from __future__ import annotations

from typing import Any

from spacelab.site.client.portal import Portal, path_of
from spacelab.site.client.trouble import Wrong

NAMES = "DATALAB[/VERSION]"
EXACT = "DATALAB/VERSION"


def address_of(portal: Portal, name: str, *, exactly: bool = False) -> str:
    """Return the API's address of a version of one's own; without a number it is the one made last."""
    slug, _, version = name.partition("/")
    if {slug, version} & {".", ".."} or not slug:
        raise Wrong(f"“{name[:60]}” names no version.", f"Write {NAMES}.")
    if not version and exactly:
        raise Wrong("Say which version.", f"Write {EXACT}.")
    if not version:
        version = next((one["version"] for one in portal.pages("/author") if one["datalab"] == slug), "")
    if not version:
        raise Wrong(f"You have no datalab “{slug[:60]}”.", "`spacelab datalab status` lists yours.")
    return path_of("author", slug, version)


def build_in_words(build: dict[str, Any]) -> str:
    """Name what a build makes."""
    return f"{build['datalab']}/{build['version']}" if build["datalab"] else build["brought"]


def version_line(version: dict[str, Any]) -> str:
    """Say in a line where a version stands, and what to do next."""
    name = f"{version['datalab']}/{version['version']}"
    return f"{name:<32} {version['state']:<18} {version['next']}".rstrip()


def detail_lines(version: dict[str, Any]) -> list[str]:
    """Say where a version stands, for whom it is, and which steps are open."""
    lines = [version_line(version), f"  for {version['visibility']} · {version['url']}"]
    if version["visibility"] in {"people", "teams"}:
        lines.append(f"  namely {', '.join(version[version['visibility']])}")
    return [*lines, *(f"  {one['title']}: {' '.join(one['lacking']) or 'possible now'}" for one in version["steps"])]
