"""Writes of what published things share: the thesaurus that keywords come from."""

from __future__ import annotations

import json
from pathlib import Path

from django.db import transaction

from spacelab.audit import actions as audit
from spacelab.publishing import queries
from spacelab.publishing.rules.thesaurus import Thesaurus


@transaction.atomic
def load_thesaurus(*, by: audit.System, file: Path, language: str = "en") -> Thesaurus:
    """Take the thesaurus of a SKOS file into use, in place of the one before; raises `Invalid`."""
    from spacelab.publishing.skos import read_skos  # noqa: PLC0415  rdflib is large, and only this needs it

    found = read_skos(file, language)
    target = queries.thesaurus_file()
    data = {
        "title": found.title,
        "version": found.version,
        "licence": found.licence,
        "concepts": [[one.iri, one.label, one.others] for one in found.concepts],
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    fresh.write_text(json.dumps(data, ensure_ascii=False), "utf-8")
    audit.record(by=by, action="publishing.load-thesaurus", subject=f"thesaurus:{found.title}", concepts=len(found))
    fresh.replace(target)
    return found


@transaction.atomic
def remove_thesaurus(*, by: audit.System) -> bool:
    """Take the thesaurus out of use; keywords stay as they are. Say whether there was one."""
    target = queries.thesaurus_file()
    if not target.exists():
        return False
    audit.record(by=by, action="publishing.remove-thesaurus", subject=f"thesaurus:{queries.thesaurus().title}")
    target.unlink()
    return True
