"""Files that a job order gives by their contents: written down, because cwltool reads only files on a disk."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from cwltool.utils import visit_files
from schema_salad.ref_resolver import file_uri

from cwl_runner.problems import Refusal


def write_literals(order: dict[str, Any], folder: Path) -> None:
    """Write each literal file of a job order below `folder` and give it that location.

    Place and name follow from the content where nothing else is said, so a resumed run finds the same files. Raises
    Refusal for a name that is a path.
    """

    def written(file: Any) -> None:
        if "contents" not in file or not str(file.get("location", "_:")).startswith("_:"):
            return
        name, content = str(file.get("basename") or "contents"), str(file.pop("contents")).encode()
        if "/" in name or name in {".", ".."}:
            raise Refusal(f"“{name[:100]}” can't be the name of a file.", "Give a basename without a slash.")
        place = folder / hashlib.sha256(content).hexdigest()[:32]
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
        file |= {"location": file_uri(str(place / name)), "basename": name, "size": len(content)}

    visit_files(order, written)
