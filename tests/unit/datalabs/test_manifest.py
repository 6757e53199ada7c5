"""What is wrong with a package reaches people as one of the platform's refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacelab.datalabs.manifest import read_manifest
from spacelab.kit.refusals import Invalid


def test_a_wrong_key_becomes_a_refusal_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "datalab-meta.yml").write_text("title: A title\n")
    with pytest.raises(Invalid) as refused:
        read_manifest(tmp_path)
    assert "datalab-meta.yml" in refused.value.message
    assert refused.value.field == "alternateName"
