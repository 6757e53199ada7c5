"""What the package library believes a base image to hold is what the base image's lock holds."""

from __future__ import annotations

import re

import pytest
from packaging.utils import canonicalize_name

from datalab_package import BASE_PACKAGES
from support.tree import ROOT


@pytest.mark.parametrize("base", BASE_PACKAGES)
def test_a_base_holds_what_is_never_proposed(base: str) -> None:
    lock = ROOT / "base-images" / base / "requirements.txt"
    lines = lock.read_text().splitlines() if lock.exists() else []
    held = {canonicalize_name(re.split(r"[\[<>=!~ ;]", line)[0]) for line in lines if re.match(r"\w", line)}
    assert {canonicalize_name(name) for name in BASE_PACKAGES[base]} <= held
