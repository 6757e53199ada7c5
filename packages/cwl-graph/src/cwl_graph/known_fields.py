"""The fields that CWL v1.0 to v1.2 knows, from its specification, to tell a misspelt one."""

from __future__ import annotations

VERSIONS = ("v1.0", "v1.1", "v1.2")

_PROCESS = frozenset(
    {"class", "id", "label", "doc", "inputs", "outputs", "requirements", "hints", "cwlVersion", "intent"}
)

FIELDS = {
    "Workflow": _PROCESS | {"steps"},
    "CommandLineTool": _PROCESS
    | {
        "baseCommand",
        "arguments",
        "stdin",
        "stdout",
        "stderr",
        "successCodes",
        "temporaryFailCodes",
        "permanentFailCodes",
    },
    "ExpressionTool": _PROCESS | {"expression"},
    "Operation": _PROCESS,
}
"""Fields of a process by its class."""

STEP_FIELDS = frozenset(
    {"id", "in", "out", "run", "requirements", "hints", "label", "doc", "scatter", "scatterMethod", "when"}
)

LATER = {"Operation": {"class": "v1.2"}}
"""Fields that came with a later version."""

REQUIREMENTS: dict[str, frozenset[str]] = {
    "InlineJavascriptRequirement": frozenset({"expressionLib"}),
    "SchemaDefRequirement": frozenset({"types"}),
    "DockerRequirement": frozenset(
        {"dockerPull", "dockerLoad", "dockerFile", "dockerImport", "dockerImageId", "dockerOutputDirectory"}
    ),
    "SoftwareRequirement": frozenset({"packages"}),
    "InitialWorkDirRequirement": frozenset({"listing"}),
    "EnvVarRequirement": frozenset({"envDef"}),
    "ShellCommandRequirement": frozenset(),
    "ResourceRequirement": frozenset(
        {"coresMin", "coresMax", "ramMin", "ramMax", "tmpdirMin", "tmpdirMax", "outdirMin", "outdirMax"}
    ),
    "SubworkflowFeatureRequirement": frozenset(),
    "ScatterFeatureRequirement": frozenset(),
    "MultipleInputFeatureRequirement": frozenset(),
    "StepInputExpressionRequirement": frozenset(),
    "LoadListingRequirement": frozenset({"loadListing"}),
    "WorkReuse": frozenset({"enableReuse"}),
    "NetworkAccess": frozenset({"networkAccess"}),
    "InplaceUpdateRequirement": frozenset({"inplaceUpdate"}),
    "ToolTimeLimit": frozenset({"timelimit"}),
}
"""Requirements and their fields."""
