"""The host's other users find nothing in the platform's directories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spacelab.kit.refusals import Conflict
from spacelab.site.privacy import check_owner, close_to_others


@pytest.mark.parametrize(("before", "after"), [(0o755, 0o750), (0o711, 0o710), (0o700, 0o700), (0o2775, 0o2770)])
def test_a_directory_is_closed_to_others_and_keeps_its_groups_rights(tmp_path: Path, before: int, after: int) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(before)
    close_to_others(state)
    assert state.stat().st_mode & 0o7777 == after


def test_a_new_directory_is_its_owners_alone(tmp_path: Path) -> None:
    close_to_others(tmp_path / "some" / "state")
    assert (tmp_path / "some" / "state").stat().st_mode & 0o777 == 0o700


def test_a_directory_that_somebody_else_made_first_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(Conflict):
        check_owner(tmp_path / "link")
    check_owner(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(Conflict):
        check_owner(tmp_path)
