"""Making a tool's plan, for tools that can be decided before their inputs are known."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from cwl_utils.sandboxjs import param_re
from cwltool.process import shortname
from cwltool.utils import aslist, cmp_like_py2

from cwl_runner.plans import Input, NotPlain, Output, Plan, Word

if TYPE_CHECKING:
    from cwl_runner.tools import Tool

HARMLESS = {
    "ResourceRequirement", "EnvVarRequirement", "InlineJavascriptRequirement", "WorkReuse", "NetworkAccess",
    "ToolTimeLimit", "DockerRequirement", "LoadListingRequirement", "ScatterFeatureRequirement",
    "SubworkflowFeatureRequirement", "MultipleInputFeatureRequirement", "StepInputExpressionRequirement",
    "InplaceUpdateRequirement",
}  # fmt: skip
TOOL_FIELDS = {
    *("class", "id", "inputs", "outputs", "baseCommand", "arguments", "stdin", "stdout", "stderr", "requirements"),
    *("hints", "label", "doc", "intent", "cwlVersion", "$namespaces"),
    *("successCodes", "temporaryFailCodes", "permanentFailCodes"),
}  # fmt: skip
INPUT_FIELDS = {"id", "type", "label", "doc", "default", "inputBinding", "streamable"}
BINDING_FIELDS = {"position", "prefix", "separate", "itemSeparator", "shellQuote"}
ARGUMENT_FIELDS = {*BINDING_FIELDS, "valueFrom"}
OUTPUT_FIELDS = {"id", "type", "label", "doc", "outputBinding", "streamable"}
SCALARS = {"string", "int", "long", "float", "double", "boolean", "File", "Directory"}


def compile_tool(tool: Tool) -> Plan | None:
    """Make a tool's plan, or None when it hasn't one."""
    try:
        return _compile(tool)
    except NotPlain:
        return None


def _compile(tool: Tool) -> Plan:
    document = tool.tool
    _only(document, TOOL_FIELDS)
    for entry in (*tool.requirements, *tool.hints):
        name = str(entry["class"])
        if name not in HARMLESS and (entry in tool.requirements or "Requirement" in name):
            raise NotPlain
    listing, _ = tool.get_requirement("LoadListingRequirement")
    if listing and listing.get("loadListing", "no_listing") != "no_listing":
        raise NotPlain
    inputs = [_input(entry) for entry in document["inputs"]]
    words = [*_base(document), *_arguments_of(document), *filter(None, map(_word, document["inputs"], inputs))]
    key = functools.cmp_to_key(cmp_like_py2)
    words.sort(key=lambda word: key({"position": word.position}))
    outputs = [_output(entry) for entry in document["outputs"]]
    streams = {name: _simple(document[name]) for name in ("stdin", "stdout", "stderr") if document.get(name)}
    environment, _ = tool.get_requirement("EnvVarRequirement")
    definitions: list[Any] = list(environment["envDef"]) if environment else []  # type: ignore[arg-type]
    variables = [(str(entry["envName"]), _simple(entry["envValue"])) for entry in definitions]
    texts = [word.value_from for word in words if word.value_from] + [text for _, text in variables]
    texts += [*streams.values(), *(pattern for output in outputs for pattern in output.patterns)]
    return Plan(
        inputs=inputs,
        words=words,
        outputs=outputs,
        variables=variables,
        streams=streams,
        requirements=[entry for entry in tool.requirements if entry["class"] != "InlineJavascriptRequirement"],
        resources=_resources(tool),
        version=str(tool.metadata.get("http://commonwl.org/cwltool#original_cwlVersion", "")),
        seconds=_constant(tool, "ToolTimeLimit", "timelimit", int),
        network=bool(_constant(tool, "NetworkAccess", "networkAccess", bool)),
        plain=not any("$" in text for text in texts),
    )


def _constant(tool: Tool, requirement: str, field: str, kind: type) -> Any:
    found, _ = tool.get_requirement(requirement)
    if not found:
        return None
    if not isinstance(found[field], kind):
        raise NotPlain
    return found[field]


def _resources(tool: Tool) -> dict[str, Any]:
    """Work out cores, memory and disk as cwltool does when they are constants."""
    wanted: Any = tool.get_requirement("ResourceRequirement")[0] or {}
    original = tool.metadata.get("http://commonwl.org/cwltool#original_cwlVersion")
    memory = 1024 if original == "v1.0" else 256
    found: dict[str, Any] = {}
    for name, told, default in (("cores", "cores", 1), ("ram", "ram", memory), ("tmpdir", "tmpdirSize", 1024),
                                ("outdir", "outdirSize", 1024)):  # fmt: skip
        value = wanted.get(f"{name}Min") or wanted.get(f"{name}Max") or default
        if not isinstance(value, int | float):
            raise NotPlain
        found[told] = value if name == "cores" else math.ceil(value)
    return found


def _only(entry: Any, fields: set[str]) -> None:
    if not isinstance(entry, dict) or any(name not in fields and ":" not in name for name in entry):
        raise NotPlain


def _simple(text: Any) -> str:
    """Take a text whose only expressions, if any, are parameter references."""
    if not isinstance(text, str) or "${" in text:
        raise NotPlain
    for part in text.split("$(")[1:]:
        reference = part.partition(")")[0]
        if not param_re.match(f"({reference})"):
            raise NotPlain
    return text


def _kind(declared: Any) -> tuple[str, bool, bool]:
    """Split a type into scalar, array?, optional?."""
    options = [each for each in aslist(declared) if each != "null"]
    optional = len(options) < len(aslist(declared))
    if len(options) != 1:
        raise NotPlain
    kind, array = options[0], False
    if isinstance(kind, dict):
        if kind.get("type") != "array" or set(kind) - {"type", "items", "name", "label", "doc"}:
            raise NotPlain
        kind, array = kind["items"], True
    if not isinstance(kind, str) or kind not in SCALARS:
        raise NotPlain
    return kind, array, optional


def _input(entry: Any) -> Input:
    _only(entry, INPUT_FIELDS)
    kind, array, optional = _kind(entry["type"])
    default = entry.get("default")
    if isinstance(default, dict | list):
        raise NotPlain
    return Input(shortname(entry["id"]), kind, array, optional, default)


def _binding(binding: Any, fields: set[str]) -> dict[str, Any]:
    _only(binding, fields)
    position, prefix = binding.get("position", 0), binding.get("prefix")
    separate = binding.get("separate", True)
    if not isinstance(position, int) or (prefix is None and not separate):
        raise NotPlain
    return {"prefix": prefix, "separate": separate, "separator": binding.get("itemSeparator") or None}


def _word(entry: Any, described: Input) -> Word | None:
    binding = entry.get("inputBinding")
    if binding is None:
        return None
    facts = _binding(binding, BINDING_FIELDS)
    position = [binding.get("position", 0), described.name]
    return Word(position, source=described.name, array=described.array, **facts)


def _base(document: Any) -> list[Word]:
    return [
        Word([-1000000, index], constant=str(word))
        for index, word in enumerate(aslist(document.get("baseCommand") or []))
    ]


def _arguments_of(document: Any) -> list[Word]:
    words = []
    for index, argument in enumerate(document.get("arguments") or []):
        if isinstance(argument, str):
            words.append(Word([0, index], value_from=_simple(argument)))
        else:
            facts = _binding(argument, ARGUMENT_FIELDS)
            position: list[int | str] = [argument.get("position", 0), index]
            words.append(Word(position, value_from=_simple(argument.get("valueFrom")), **facts))
    return words


def _output(entry: Any) -> Output:
    _only(entry, OUTPUT_FIELDS)
    kind, array, optional = _kind(entry["type"])
    binding = entry.get("outputBinding")
    if kind not in ("File", "Directory") or not isinstance(binding, dict) or set(binding) - {"glob"}:
        raise NotPlain
    patterns = [_simple(pattern) for pattern in aslist(binding.get("glob"))]
    return Output(shortname(entry["id"]), kind, array, optional, patterns)
