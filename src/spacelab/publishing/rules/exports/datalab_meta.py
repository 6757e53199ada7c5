"""Terms as `datalab-meta.yml` and back: the format that holds all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from datalab_package import flatten, yaml_of
from spacelab.publishing.rules.exports.documents import Found
from spacelab.publishing.rules.term_list import TERMS
from spacelab.publishing.rules.term_types import Kind


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: they are not read."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's
        return True


def write(values: Mapping[str, Any], *, kind: Kind, concepts: Mapping[str, str]) -> str:  # noqa: ARG001  all formats' form
    """Write every term; keys of the vocabulary are nested, others stay as they are."""
    document: dict[str, Any] = {}
    ordered = [key for key in TERMS if key in values] + [key for key in values if key not in TERMS]
    for key in ordered:
        group, dot, name = key.partition(".")
        if dot and key in TERMS and group not in values:
            document.setdefault(group, {})[name] = values[key]
        else:
            document[key] = values[key]
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def read(text: str, name: str, *, kind: Kind) -> Found:  # noqa: ARG001  all formats' form
    """Read every term, nested or dotted."""
    return Found(values=flatten(yaml_of(text, name)))
