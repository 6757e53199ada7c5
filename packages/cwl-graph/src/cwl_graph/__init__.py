"""Reads CWL documents as graphs, checks them, and edits their text without losing a byte."""

from cwl_graph import edits
from cwl_graph.bundles import safe_path
from cwl_graph.checking import ASKS_NETWORK
from cwl_graph.cwl_types import SecondaryFile, Type, parse_type
from cwl_graph.documents import Document, Files, Image, Use
from cwl_graph.editing import edit
from cwl_graph.edits import Edit, edit_of
from cwl_graph.fitting import Converter, Fit, converter, fit
from cwl_graph.graphs import Field, Graph, Link, Node, Port
from cwl_graph.jobs import check_job, job_text, read_job
from cwl_graph.layout import Layout, layout
from cwl_graph.new_tools import new_workflow, tool_from_command
from cwl_graph.notebooks import tool_from_notebook
from cwl_graph.packing import copy_nodes, pack, unpack
from cwl_graph.problems import Problem, Refused
from cwl_graph.reading import read
from cwl_graph.scripts import tool_from_script

__all__ = [
    "ASKS_NETWORK",
    "Converter",
    "Document",
    "Edit",
    "Field",
    "Files",
    "Fit",
    "Graph",
    "Image",
    "Layout",
    "Link",
    "Node",
    "Port",
    "Problem",
    "Refused",
    "SecondaryFile",
    "Type",
    "Use",
    "check_job",
    "converter",
    "copy_nodes",
    "edit",
    "edit_of",
    "edits",
    "fit",
    "job_text",
    "layout",
    "new_workflow",
    "pack",
    "parse_type",
    "read",
    "read_job",
    "safe_path",
    "tool_from_command",
    "tool_from_notebook",
    "tool_from_script",
    "unpack",
]
