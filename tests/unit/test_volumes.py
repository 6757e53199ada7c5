"""Volumes: who sees and mounts which, what a declaration may say, areas, and paths that stay inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from hypothesis import given
from hypothesis import strategies as st

from spacelab.accounts.models import Membership, Person, Team
from spacelab.audit.models import Entry
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, NotFound
from spacelab.volumes import actions, queries
from spacelab.volumes.models import Volume
from spacelab.volumes.rules import resolve_inside
from support.people import make_person


def declare(operator: Person, folder: Path, name: str = "euclid_q1", **more: Any) -> dict[str, tuple[str, str]]:
    folder.mkdir(exist_ok=True)
    return actions.declare_archive(by=operator, declaration={"name": name, "path": str(folder), "title": "Q1", **more})


def test_a_declaration_is_idempotent_and_says_what_changes(operator: Person, tmp_path: Path) -> None:
    assert declare(operator, tmp_path / "a")["title"] == ("", "Q1")
    assert declare(operator, tmp_path / "a") == {}
    assert declare(operator, tmp_path / "a", mission="Euclid") == {"mission": ("", "Euclid")}
    assert Entry.objects.filter(action="volumes.declare").count() == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"name": "../etc"}, "name"),
        ({"name": "user"}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"name": "данные"}, "name"),
        ({"path": "relative"}, "path"),
        ({"path": "/no/such/folder"}, "path"),
        ({"path": "/"}, "path"),
        ({"path": "/etc/hostname"}, "path"),
        ({"title": ""}, "title"),
        ({"summary": 7}, "summary"),
        ({"access": "nobody"}, "access"),
        ({"access": {"people": ["nobody"]}}, "people"),
    ],
)
def test_a_wrong_declaration_is_refused_at_its_field(
    operator: Person, tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    wanted = {"name": "good", "path": str(tmp_path), "title": "Good", **change}
    with pytest.raises(Invalid) as refused:
        actions.declare_archive(by=operator, declaration=wanted)
    assert refused.value.field == field
    assert not Volume.objects.exists()


def test_the_platforms_own_state_is_never_an_archive(operator: Person, tmp_path: Path) -> None:
    secret = settings.SPACELAB.state / "volumes"
    secret.mkdir(parents=True, exist_ok=True)
    (tmp_path / "link").symlink_to(secret)
    for path in (secret, settings.SPACELAB.state, tmp_path / "link"):
        with pytest.raises(Invalid, match="own state"):
            actions.declare_archive(by=operator, declaration={"name": "ab", "path": str(path), "title": "T"})


def test_one_folder_is_one_volume(operator: Person, tmp_path: Path) -> None:
    declare(operator, tmp_path / "a")
    with pytest.raises(Invalid, match="already"):
        declare(operator, tmp_path / "a", name="again")


@pytest.mark.parametrize("role", ["scientist", "developer", "advanced-developer", "moderator"])
def test_only_operators_declare_and_retire(db: None, tmp_path: Path, role: str) -> None:
    with pytest.raises(Forbidden):
        declare(make_person("sam", role), tmp_path / "a")
    with pytest.raises(Forbidden):
        actions.retire_archive(by=make_person("sim", role), name="euclid_q1")


def test_a_restricted_volume_shows_to_named_people_and_teams_alone(operator: Person, tmp_path: Path) -> None:
    ada, bob, eve = (make_person(name) for name in ("ada", "bob", "eve"))
    team = Team.objects.create(slug="Hyades", name="Hyades")
    Membership.objects.create(team=team, person=bob)
    declare(operator, tmp_path / "a", access={"people": ["ada"], "teams": ["Hyades"]})
    assert [queries.visible_to(one).count() for one in (ada, bob, eve, AnonymousUser())] == [1, 1, 0, 0]
    with pytest.raises(NotFound) as hidden:
        queries.get_visible(eve, "euclid_q1")
    with pytest.raises(NotFound) as unknown:
        queries.get_visible(eve, "euclid_q2")
    assert hidden.value.message.replace("q1", "q2") == unknown.value.message


def test_retired_volumes_are_gone_until_declared_again(operator: Person, scientist: Person, tmp_path: Path) -> None:
    declare(operator, tmp_path / "a")
    actions.retire_archive(by=operator, name="euclid_q1")
    assert not queries.visible_to(scientist)
    with pytest.raises(Conflict):
        actions.retire_archive(by=operator, name="euclid_q1")
    assert declare(operator, tmp_path / "a") == {"retired": ("retired", "")}
    assert queries.visible_to(scientist)


def test_mounts_are_where_notebooks_look_for_them(operator: Person, scientist: Person, tmp_path: Path) -> None:
    declare(operator, tmp_path / "a")
    team = Team.objects.create(slug="Hyades", name="Hyades")
    Membership.objects.create(team=team, person=scientist)
    for _ in range(2):
        actions.ensure_areas(person=scientist)
    mounts = queries.mounts_for(scientist, volumes=["euclid_q1", "euclid_q1"], teams=["Hyades"])
    assert [(mount.target, mount.read_only) for mount in mounts] == [
        ("/data/euclid_q1", True),
        ("/data/user/euclid_q1", True),
        ("/media/home", False),
        ("/media/user", False),
        ("/media/team_workspaces/Hyades", False),
    ]
    assert Path(mounts[2].source).stat().st_mode & 0o777 == 0o700
    actions.ensure_areas(person=operator)
    with pytest.raises(NotFound):
        queries.mounts_for(operator, volumes=[], teams=["Hyades"])


def test_an_area_that_became_a_link_is_refused(scientist: Person, tmp_path: Path) -> None:
    actions.ensure_areas(person=scientist)
    workspace = settings.VOLUMES_DIRECTORY / "people" / scientist.username / "workspace"
    workspace.rename(workspace.with_name("elsewhere"))
    workspace.symlink_to(tmp_path)
    before = tmp_path.stat().st_uid
    try:
        with pytest.raises(Conflict):
            actions.ensure_areas(person=scientist)
        assert tmp_path.stat().st_uid == before
    finally:
        workspace.unlink()
        workspace.with_name("elsewhere").rename(workspace)


def test_declarations_of_a_folder_apply_but_the_bad_ones(db: None, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "a.yml").write_text(f"name: good\npath: {tmp_path}/data\ntitle: Good\n")
    (tmp_path / "b.yml").write_text("name: [\n")
    with pytest.raises(Invalid, match=r"b\.yml"):
        actions.apply_declarations(tmp_path)
    assert Volume.objects.get().name == "good"


@given(parts=st.lists(st.sampled_from(["..", ".", "a", "out", "/etc", "", "..a"]), max_size=6))
def test_no_path_leaves_its_volume(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    root = tmp_path_factory.mktemp("volume", numbered=True)
    (root / "a").mkdir()
    (root / "out").symlink_to("/etc")
    try:
        found = resolve_inside(root, "/".join(parts))
    except Invalid:
        return
    assert found == root.resolve() or root.resolve() in found.parents
