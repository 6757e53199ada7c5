"""The operators' commands about whole images: `spacelab images export|import|push|pull|scan`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from spacelab.audit.actions import System
from spacelab.images import actions, papers, queries, shelf
from spacelab.images.ports import Progress
from spacelab.kit.refusals import Invalid, Unavailable

BY = System("images")
Tell = Callable[[str], None]
MEGABYTE = 1_000_000


def add_verbs(verbs: Any) -> None:
    """Add the verbs to those of `spacelab images`; `verbs` is what `add_subparsers` returned."""
    export = verbs.add_parser("export", help="write an image into an OCI archive")
    export.add_argument("image", metavar="IMAGE")
    export.add_argument("file", type=Path, metavar="FILE")
    take = verbs.add_parser("import", help="take an image in from an OCI archive")
    take.add_argument("file", type=Path, metavar="FILE")
    take.add_argument("--as", dest="name", default="", metavar="NAME", help="its name here")
    push = verbs.add_parser("push", help="send an image to a registry")
    push.add_argument("image", metavar="IMAGE")
    push.add_argument("reference", metavar="REFERENCE", help="its name there: registry.example.org/lab/sky:v1")
    pull = verbs.add_parser("pull", help="fetch an image from a registry")
    pull.add_argument("reference", metavar="REFERENCE")
    for parser in (take, pull):
        parser.add_argument("--digest", default="", metavar="SHA256", help="refuse it unless it has this digest")
        parser.add_argument("--foreign", action="store_true", help="take it even if no such platform has built it")
    scan = verbs.add_parser("scan", help="list contents and look up known vulnerabilities")
    scan.add_argument("names", nargs="*", metavar="NAME", help="images or environments; none: all of the platform's")
    scan.add_argument("--spdx", type=Path, metavar="FILE", help="write the contents of one as an SPDX document")
    scan.add_argument("--verbose", action="store_true", help="name every vulnerability")


def _export(options: dict[str, Any], progress: Progress, tell: Tell) -> None:
    archive = actions.export_image(by=BY, image=options["image"], target=options["file"].absolute(), progress=progress)
    size = options["file"].stat().st_size / MEGABYTE
    tell(f"{options['image']} is in {options['file']} ({size:.0f} MB)")
    tell(f"digest {archive.digest}")


def _told(taken: actions.Taken, tell: Tell) -> None:
    tell(f"{taken.name} is here")
    tell(f"digest {taken.digest}")
    tell(taken.said)


def _import(options: dict[str, Any], progress: Progress, tell: Tell) -> None:
    taken = actions.import_image(
        by=BY,
        source=options["file"],
        name=options["name"],
        digest=options["digest"],
        foreign=options["foreign"],
        progress=progress,
    )
    _told(taken, tell)


def _push(options: dict[str, Any], progress: Progress, tell: Tell) -> None:
    digest = actions.push_image(by=BY, image=options["image"], reference=options["reference"], progress=progress)
    tell(f"{options['image']} is at {options['reference']}")
    tell(f"digest {digest}")


def _pull(options: dict[str, Any], progress: Progress, tell: Tell) -> None:
    _told(
        actions.pull_image(
            by=BY,
            reference=options["reference"],
            digest=options["digest"],
            foreign=options["foreign"],
            progress=progress,
        ),
        tell,
    )


def _keys(names: list[str], progress: Progress) -> Iterator[tuple[str, str]]:
    """Yield names with the keys of their papers, making lists of contents where they are missing."""
    for name in names or [one.name for one in papers.subjects()]:
        progress(name)
        folder = settings.ENVIRONMENTS_DIRECTORY / name
        if "/" not in name and folder.is_dir():
            yield name, actions.describe_environment(name, folder, progress)
        else:
            yield name, actions.describe_image(name, progress)


def _scan(options: dict[str, Any], progress: Progress, tell: Tell) -> None:
    spdx: Path | None = options["spdx"]
    if spdx and len(options["names"]) != 1:
        raise Invalid("An SPDX document is about one image or environment.", advice="Name one.")
    if not options["names"] and not papers.subjects():
        raise Unavailable("There is nothing to look into yet.", advice="Build something, or `spacelab images build`.")
    for name, key in _keys(options["names"], progress):
        report = actions.look_up(key, progress)
        contents = queries.contents(key)
        tell(f"{name}")
        tell(f"  {contents.sentence if contents else ''}")
        tell(f"  {queries.sentences(report, queries.judge(report))}")
        for one in report.findings if options["verbose"] else ():
            fixed = f"fixed in {one.fixed}" if one.fixed else "no fix yet"
            tell(f"    {one.severity:8} {one.id:20} {one.source} {one.version}, {fixed}")
        if spdx:
            document = queries.cataloguer().to_spdx(shelf.paper(key, shelf.CONTENTS), work=shelf.folder())
            spdx.write_text(json.dumps(document, indent=1), encoding="utf-8")


VERBS: dict[str, Callable[[dict[str, Any], Progress, Tell], None]] = {
    "export": _export,
    "import": _import,
    "push": _push,
    "pull": _pull,
    "scan": _scan,
}


def run(options: dict[str, Any], progress: Progress, tell: Tell) -> None:
    """Do what one of these verbs says; raise a refusal if it can't be done."""
    VERBS[options["verb"]](options, progress, tell)
