"""Turns the folder of a CWL run into a Workflow Run RO-Crate."""

from run_crate.crate import About, Agent, Crate, Environment, Software, crate_of
from run_crate.places import Below, Entry, Nowhere, Place, open_folder, open_inside
from run_crate.records import JobRecord, RunRecord, UnreadableRunError, read_run
from run_crate.values import Take
from run_crate.writing import ChangedError, metadata_text, write_folder, write_zip

__all__ = [
    "About",
    "Agent",
    "Below",
    "ChangedError",
    "Crate",
    "Entry",
    "Environment",
    "JobRecord",
    "Nowhere",
    "Place",
    "RunRecord",
    "Software",
    "Take",
    "UnreadableRunError",
    "crate_of",
    "metadata_text",
    "open_folder",
    "open_inside",
    "read_run",
    "write_folder",
    "write_zip",
]
