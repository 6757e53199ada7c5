"""What cwltool makes anew for every document and every tool although it never changes, made once for a process.

Those are the types of File, Directory and Any, which every tool's own types are added to, and sessions for requests,
of which a run without leave to fetch documents makes none. They are a third of the time that reading a document takes.
"""

from __future__ import annotations

import functools
from typing import Any

import requests
from cwltool import load_tool, process
from schema_salad.avro.schema import Names
from schema_salad.ref_resolver import Loader
from schema_salad.schema import make_avro_schema


@functools.cache
def install() -> None:
    """Have cwltool use what is made once; before the first document is loaded."""
    loader = functools.partial(Loader, session=requests.Session())
    nothing = loader({})
    for module, name, fresh in (
        (load_tool, "Loader", loader),
        (process, "Loader", lambda context: loader(context) if context else nothing),
        (process, "make_avro_schema", _Types()),
    ):
        setattr(module, name, fresh)


class _Types:
    """Stands for `make_avro_schema`: gives each caller names of its own, which hold the types that it gave."""

    def __init__(self) -> None:
        self._known: list[tuple[list[Any], Names]] = []

    def __call__(self, types: list[Any], loader: Loader) -> Names:
        same = (made for given, made in self._known if list(map(id, given)) == list(map(id, types)))
        made = next(same, None)
        if made is None:
            made = make_avro_schema(types, loader)
            self._known.append((types, made))
        names = Names(made.default_namespace)
        names.names.update(made.names)
        return names
