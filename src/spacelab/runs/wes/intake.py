"""From a WES request to something that can be launched: documents taken in, inputs put into the workspace."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError

import cwl_graph
from spacelab.accounts.models import Person
from spacelab.kit.refusals import Invalid, TooLarge
from spacelab.pipelines import queries as pipelines
from spacelab.pipelines import rules as bundles
from spacelab.runs import launchables
from spacelab.runs.choosing import Source
from spacelab.runs.launchables import Launchable
from spacelab.runs.wes.rules import (
    LARGEST_ATTACHMENT,
    LARGEST_ATTACHMENTS,
    MOST_ATTACHMENTS,
    SLASH,
    Request,
    reference_of,
)

SLUG = "wes"
"""Stands for the short name of a pipeline where documents came with the request."""
DEEPEST = 40


class _PathParser(MultiPartParser):
    """Keeps the folders in the names of files, which say where each belongs in the bundle."""

    def sanitize_file_name(self, file_name: str) -> str | None:
        found = super().sanitize_file_name(html.unescape(file_name).replace("/", SLASH))
        return found or None


def parts_of(request: HttpRequest) -> tuple[dict[str, str], dict[str, Any]]:
    """Read the fields and attachments of a multipart request; raise `Invalid` or `TooLarge`."""
    if not (request.content_type or "").startswith("multipart/"):
        raise Invalid("A run is asked for by multipart/form-data.", advice="Send the fields of the specification.")
    try:
        parser = _PathParser(request.META, request, request.upload_handlers, request.encoding or "utf-8")
        fields, files = parser.parse()
    except RequestDataTooBig as error:
        raise TooLarge("This request is too large.", advice="Put data into a volume, and name them there.") from error
    except MultiPartParserError as error:
        raise Invalid(f"The request can't be read: {error}.") from error
    attached: dict[str, Any] = {}
    for one in files.getlist("workflow_attachment"):
        attached[bundles.clean_path(str(one.name or "").replace(SLASH, "/").removeprefix("./"))] = one
    if len(attached) > MOST_ATTACHMENTS or sum(one.size or 0 for one in attached.values()) > LARGEST_ATTACHMENTS:
        raise TooLarge("These are too many attachments, or too large ones.", advice="Put data into a volume.")
    return {str(name): str(fields[name]) for name in fields}, attached


def find(by: Person, wanted: Request, attached: Mapping[str, Any]) -> tuple[Launchable, list[str]]:
    """Find what to launch: attached documents, else a pipeline of the catalogue; and which attachments are inputs.

    Attached documents are hostile: they get the limits of an import, and the steps and software that the person sees.
    Raises `Invalid` or `TooLarge`, or as the catalogue does.
    """
    path, _, fragment = unquote(wanted.url).removeprefix("./").partition("#")
    inputs = [name for name in _named(wanted.params, 0) if name in attached]
    if path not in attached:
        found = reference_of(wanted.url, hosts())
        if found is None:
            raise Invalid(
                f"workflow_url “{wanted.url[:200]}” is neither attached nor a pipeline here: nothing is fetched.",
                advice="Attach the document, or name a pipeline as catalogue/<name>/<version>.",
                field="workflow_url",
            )
        return launchables.of_catalogue(by, *found), inputs
    pipelines.require_launch(by)
    texts = {name: _text(name, one) for name, one in attached.items() if name not in inputs or name == path}
    files = bundles.clean_files(texts)
    main = f"{path}#{fragment}" if fragment else path
    bundle = pipelines.bundle_of(files, main, by=by, owner=by)
    document = cwl_graph.read(bundle.files, main)
    source = Source(
        slug=SLUG,
        title=(document.label or path.rpartition("/")[2])[:120],
        files=bundle.files,
        main=main,
        is_test=True,
        environments=pipelines.environments_for(by, bundle.files),
    )
    return Launchable(source, tuple(bundle.missing)), inputs


def hosts() -> frozenset[str]:
    """Return the names under which this platform's portal is reached, with and without its port."""
    portal = urlsplit(settings.SPACELAB.portal_url)
    return frozenset({portal.netloc, portal.hostname or portal.netloc})


def _text(name: str, file: Any) -> str:
    if (file.size or 0) > bundles.LARGEST_DOCUMENT:
        raise bundles.too_large(name)
    try:
        return str(file.read().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Invalid(
            f"workflow_attachment: {name} is no text in UTF-8, and no input names it.",
            advice="Attach documents, and files that workflow_params names.",
        ) from error


def contents(attached: Mapping[str, Any], names: Sequence[str]) -> dict[str, bytes]:
    """Read attached inputs; raise `TooLarge` for one that is too large."""
    found = {}
    for name in names:
        file = attached[name]
        if (file.size or 0) > LARGEST_ATTACHMENT:
            most = LARGEST_ATTACHMENT // 2**20
            raise TooLarge(f"workflow_attachment: {name} is larger than {most} MiB.", advice="Put it into a volume.")
        file.seek(0)
        found[name] = file.read()
    return found


def _relative(value: Mapping[str, Any]) -> str:
    """Return the attachment that a file of the job order may name; empty for an absolute path or address."""
    if value.get("class") not in {"File", "Directory"}:
        return ""
    given = value.get("location", value.get("path"))
    name = unquote(given).removeprefix("./") if isinstance(given, str) else ""
    return "" if name.startswith("/") or ":" in name.partition("/")[0] else name


def _named(value: Any, depth: int) -> list[str]:
    if depth > DEEPEST:
        return []
    if isinstance(value, list):
        return [name for one in value for name in _named(one, depth + 1)]
    if not isinstance(value, Mapping):
        return []
    own = _relative(value)
    return ([own] if own else []) + [name for one in value.values() for name in _named(one, depth + 1)]


def placed(value: Any, names: Sequence[str], folder: str, depth: int = 0) -> Any:
    """Return a job order in which attached inputs are named by where they were put."""
    if depth > DEEPEST:
        return value
    if isinstance(value, list):
        return [placed(one, names, folder, depth + 1) for one in value]
    if not isinstance(value, Mapping):
        return value
    kept = {key: placed(one, names, folder, depth + 1) for key, one in value.items()}
    if (own := _relative(value)) and own in names:
        kept.pop("path", None)
        kept["location"] = f"{folder}/{own}"
    return kept
