"""Runs notebooks from top to bottom inside a datalab, and writes down for each how far it came.

Run as `run_notebooks.py <folder> <results> <seconds> <notebook…>`, with the datalab's own Python.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SHORTEST = 1.0
"""Seconds that a cell gets when the time of all is nearly over."""
LONGEST_ERROR = 500


def main() -> None:
    """Run all notebooks, and leave the results after each."""
    folder, results, seconds, *names = sys.argv[1:]
    target, until, done = Path(results), time.monotonic() + float(seconds), []
    try:
        import nbclient  # noqa: F401, PLC0415  the datalab may lack it
    except ImportError:
        write(target, {"unavailable": "The datalab has no nbclient, so its notebooks can't be run by themselves."})
        return
    for given in names:
        name = given.removeprefix("./")
        print(f"Running {name}", flush=True)  # noqa: T201  the log
        done.append(run(Path(folder), name, until))
        write(target, {"notebooks": done})
        print(f"{name}: {done[-1]['error'] or 'ran to the end'}", flush=True)  # noqa: T201  the log


def write(target: Path, found: dict[str, Any]) -> None:
    """Replace the results by these."""
    aside = target.with_suffix(".new")
    aside.write_text(json.dumps(found))
    aside.replace(target)


def run(folder: Path, name: str, until: float) -> dict[str, Any]:
    """Run one notebook where it lies; say how it went."""
    import nbformat  # noqa: PLC0415  as nbclient
    from nbclient import NotebookClient  # noqa: PLC0415  as nbclient

    began, at = time.monotonic(), [0]
    result: dict[str, Any] = {"name": name, "passed": False, "cell": 0, "error": ""}
    try:
        book = nbformat.read(folder / name, as_version=4)
        numbers = {index: count for count, index in enumerate(_code(book.cells), 1)}
        client = NotebookClient(
            book,
            timeout_func=lambda _cell: max(SHORTEST, until - time.monotonic()),
            kernel_name=_kernel(book),
            resources={"metadata": {"path": str((folder / name).parent)}},
            on_cell_start=lambda cell, cell_index: at.__setitem__(0, numbers.get(cell_index, 0)),  # noqa: ARG005  its signature
        )
        client.execute()
        result["passed"] = True
    except Exception as error:  # noqa: BLE001  whatever it is, it is the notebook's result
        result |= {"cell": at[0], "error": said(error)}
    result["seconds"] = round(time.monotonic() - began, 2)
    return result


def _code(cells: list[Any]) -> list[int]:
    return [index for index, cell in enumerate(cells) if cell.cell_type == "code"]


def _kernel(book: Any) -> str:
    """Return the kernel that the notebook names if the datalab has it, else Python's."""
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415  as nbclient

    named = str(book.metadata.get("kernelspec", {}).get("name", ""))
    return named if named in KernelSpecManager().find_kernel_specs() else "python3"


def said(error: Exception) -> str:
    """Say in a line what went wrong."""
    kind, value = getattr(error, "ename", ""), getattr(error, "evalue", "")
    if kind:
        return COLOURS.sub("", f"{kind}: {value}")[:LONGEST_ERROR]
    if type(error).__name__ == "CellTimeoutError":
        return "It took longer than the time that all notebooks have together."
    lines = [line for line in COLOURS.sub("", str(error)).strip().splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:LONGEST_ERROR]


if __name__ == "__main__":
    main()
