"""Loading a document with its imports, and a job order for it, through cwltool."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, cast

from cwl_utils.types import CWLObjectType
from cwltool.context import LoadingContext
from cwltool.load_tool import fetch_document, make_tool, resolve_and_validate_document
from cwltool.process import Process, add_sizes, shortname
from cwltool.stdfsaccess import StdFsAccess
from cwltool.update import ORIGINAL_CWLVERSION
from cwltool.utils import (
    adjustDirObjs,
    normalizeFilesDirs,
    path_to_loc,
    trim_listing,
    visit_files,
    visit_files_directories,
)
from schema_salad.ref_resolver import Loader, file_uri

from cwl_runner import flows, standing
from cwl_runner.literals import write_literals
from cwl_runner.problems import Refusal
from cwl_runner.roots import ADVICE, Roots, fetcher_below, local_path


def plain_context(roots: Roots | None = None, *, network: bool = False) -> LoadingContext:
    """Make the context in which documents are read."""
    return LoadingContext(
        {
            "construct_tool_object": flows.make,
            "fetcher_constructor": fetcher_below(roots or Roots([]), network=network),
            "disable_js_validation": True,
            "relax_path_checks": True,
            "strict": True,
            "enable_dev": False,
            "do_update": True,
        }
    )


def load(main: str, context: LoadingContext) -> Process:
    """Load a document ("path" or "path#id") and all that it uses; raises cwltool's exceptions and Refusal."""
    standing.install()
    path, mark, fragment = main.partition("#")
    if not Path(path).is_file():
        raise Refusal(
            f"{Path(path).name} is missing.", "The pipeline has no file of this name: choose another main document."
        )
    uri = file_uri(str(Path(path).resolve())) + mark + fragment
    name = Path(path).name
    try:
        context, document, uri = fetch_document(uri, context)
    except StopIteration as failure:
        raise Refusal(f"{name} is empty.", "Write a CWL document, or choose another main document.") from failure
    if not isinstance(document, dict):
        raise Refusal(f"{name} isn't a CWL document: it has no fields.", "Choose another main document.")
    if document.get("cwlVersion") == "v1.0":
        _name_inner(document)
    try:
        context, uri = resolve_and_validate_document(context, document, uri)
        return make_tool(uri, context)
    except RecursionError as failure:
        raise Refusal(f"{name} uses itself, or is nested too deeply.", "Look at what its steps run.") from failure


def _name_inner(value: Any, path: str = "run") -> None:
    """Give the tools inside a v1.0 workflow ids that are the same each time; cwltool would take random ones."""
    if isinstance(value, dict):
        inner = value.get("run")
        if isinstance(inner, dict) and "id" not in inner and "$import" not in inner:
            inner["id"] = path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        _name_inner(item, f"{path}-{key}")


def version_of(process: Process) -> str:
    """Name the CWL version that the document was written in."""
    return str(process.metadata.get(ORIGINAL_CWLVERSION) or process.metadata.get("cwlVersion", ""))


def read_order_file(path: str, context: LoadingContext) -> dict[str, Any]:
    """Read a job order in YAML or JSON, its locations relative to itself, as cwltool's command line does."""
    from cwltool.load_tool import jobloader_id_name, jobloaderctx  # noqa: PLC0415 - only the plain command line needs them

    loader = Loader(jobloaderctx.copy(), fetcher_constructor=context.fetcher_constructor)
    order, _ = loader.resolve_ref(file_uri(str(Path(path).resolve())), checklinks=False)
    if not isinstance(order, dict):
        raise Refusal("The job order isn't an object of names and values.")
    order.pop(jobloader_id_name, None)
    return order


def complete_order(
    process: Process, order: dict[str, Any], roots: Roots, *, literals: Path | None = None, assume_formats: bool = False
) -> CWLObjectType:
    """Add defaults and what cwltool expects of files to a job order; raises Refusal for files outside the roots.

    Files given by their contents are written below `literals`, if that is given. With `assume_formats`, a file whose
    format nobody states is taken to have the one that its input asks for.
    """
    order = dict(order)
    for entry in process.tool["inputs"]:
        if "default" in entry and shortname(entry["id"]) not in order:
            order[shortname(entry["id"])] = entry["default"]
        if assume_formats and isinstance(asked := entry.get("format"), str | list) and asked:
            wanted = asked if isinstance(asked, str) else str(asked[0])
            name = shortname(entry["id"])
            order[name] = _with_format(order.get(name), wanted)
    _take_requirements(process, order)
    namespaces = {**order.pop("$namespaces", {}), **cast("dict[str, str]", process.metadata.get("$namespaces", {}))}
    order.pop("$schemas", None)
    expander = Loader(namespaces)

    def expand(file: Any) -> None:
        if "format" in file:
            file["format"] = expander.expand_url(file["format"], "")

    visit_files_directories(order, path_to_loc)
    if literals:
        write_literals(order, literals)
    visit_files_directories(order, functools.partial(_check, roots))
    visit_files(order, functools.partial(add_sizes, StdFsAccess("")))
    visit_files(order, expand)
    adjustDirObjs(order, trim_listing)
    normalizeFilesDirs(order)
    for name in ("cwl:tool", "id"):
        order.pop(name, None)
    return order


def _with_format(value: Any, wanted: str) -> Any:
    """Return a File, or Files in lists, with a format where none is stated; expressions are cwltool's to evaluate."""
    if isinstance(value, list):
        return [_with_format(one, wanted) for one in value]
    if not isinstance(value, dict) or value.get("class") != "File" or "format" in value or "$" in wanted:
        return value
    return {**value, "format": wanted}


def _take_requirements(process: Process, order: dict[str, Any]) -> None:
    """Let a job order add requirements, as CWL allows since v1.1."""
    for name in ("cwl:requirements", "https://w3id.org/cwl/cwl#requirements"):
        if wanted := order.pop(name, None):
            if version_of(process) == "v1.0":
                raise Refusal("Requirements in the inputs aren't part of CWL v1.0.", "Set cwlVersion to v1.1 or later.")
            process.requirements.extend(wanted)


def _check(roots: Roots, entry: Any) -> None:
    """Refuse a file or folder that isn't there or that the run may not read."""
    location = entry.get("location", "")
    if not location or location.startswith("_:"):
        return
    path = local_path(location.partition("#")[0] if location.startswith("file:") else location)
    if not path:
        raise Refusal(f"{location} isn't a file of this platform.", ADVICE)
    roots.check(path)
    if not Path(path).exists():
        raise Refusal(f"{path} isn't there.", "It may have been moved or deleted: choose the input again.")
    if (entry["class"] == "Directory") != Path(path).is_dir():
        wanted = "a folder" if entry["class"] == "Directory" else "a file"
        raise Refusal(f"{path} isn't {wanted}.", f"Choose {wanted} for this input.")
    if location.startswith("/"):
        entry["location"] = file_uri(location)
