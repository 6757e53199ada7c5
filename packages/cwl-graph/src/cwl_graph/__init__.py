"""Reads CWL documents as graphs, checks them, and edits their text without losing a byte."""

from cwl_graph import edits
from cwl_graph.bundles import safe_path
from cwl_graph.cwl_types import SecondaryFile, Type, parse_type
from cwl_graph.documents import Document, Files, Image, Use
from cwl_graph.editing import edit
from cwl_graph.edits import Edit, edit_of
from cwl_graph.fitting import Converter, Fit, converter, fit
from cwl_graph.graphs import Field, Graph, Link, Node, Port
from cwl_graph.jobs import check_job, job_text, read_job
from cwl_graph.layout import Layout, layout
from cwl_graph.problems import Problem, Refused
from cwl_graph.reading import read

__all__ = [
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
    "edit",
    "edit_of",
    "edits",
    "fit",
    "job_text",
    "layout",
    "parse_type",
    "read",
    "read_job",
    "safe_path",
]
