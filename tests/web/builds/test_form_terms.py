"""What the metadata form says goes on in the files: it is written into the package with the next build."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.builds import actions, packages, queries
from spacelab.builds.models import Build
from spacelab.builds.upkeep import Workshop
from spacelab.datalabs import actions as datalab_actions
from spacelab.datalabs.models import DatalabVersion
from spacelab.publishing.forms import TermsForm
from spacelab.publishing.rules import State
from support.builds import bring, end_workload, queued, start
from support.packages import META, notebook

METADATA = "/author/nearby-stars/0.1.0/metadata"
FILES = "/author/nearby-stars/0.1.0/files"
GIVEN = {
    "title": "Stars nearby",
    "creator.name": ["Ada", "Grace"],
    "keywords": ["stars", "dust"],
    "citation": "Ada 2026",
}


@pytest.fixture
def version(workshop: Workshop, developer: Person) -> DatalabVersion:
    """Build a version from a notebook and its metadata."""
    built(workshop, queued(developer))
    return DatalabVersion.objects.get()


@pytest.fixture
def author(client: Client, developer: Person) -> Client:
    """Sign the author in."""
    client.force_login(developer)
    return client


def built(workshop: Workshop, build: Build) -> None:
    workshop.look()
    end_workload(build)
    for _ in range(4):
        workshop.look()
    assert queries.builds().get(pk=build.pk).state == "built"


def write(version: DatalabVersion, **values: Any) -> None:
    given = {key.replace("__", "."): value for key, value in values.items()}
    datalab_actions.edit_metadata(by=Person.objects.get(username="dora"), version=version, values=given)
    version.refresh_from_db()


def told_by_files(version: DatalabVersion) -> dict[str, Any]:
    version.refresh_from_db()
    folder = queries.package_of(version)
    assert folder is not None
    return packages.metadata(folder)


def plan_of(author: Client, version: DatalabVersion, name: str = "more.txt", content: bytes = b"x") -> Build:
    assert author.post(FILES, {"upload": SimpleUploadedFile(name, content)}).status_code == 302
    return Build.objects.get(state="planned")


def sent(author: Client, build: Build) -> dict[str, Any]:
    """Return what a browser sends for the form of a plan."""
    form = author.get(f"/builds/{build.pk}").context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def test_the_next_build_keeps_what_the_form_said(workshop: Workshop, version: DatalabVersion, author: Client) -> None:
    form = TermsForm(kind="datalab", initial=version.metadata)
    shown = {name: form[name].field.prepare_value(version.metadata.get(name, "")) for name in form.fields}
    changed = {"title": "Stars nearby", "creator.name": "Ada\nGrace", "keywords": "stars, dust", "citation": "Ada 2026"}
    assert "with the next build" in author.get(METADATA).content.decode()
    assert author.post(METADATA, {**shown, **changed}).status_code == 302
    build = plan_of(author, version)
    answers = sent(author, build)
    assert (answers["title"], answers["creator"]) == ("Stars nearby", "Ada, Grace")
    assert author.post(f"/builds/{build.pk}/start", answers).status_code == 302
    built(workshop, build)
    version.refresh_from_db()
    assert {key: version.metadata[key] for key in GIVEN} == GIVEN
    assert {key: told_by_files(version)[key] for key in GIVEN} == GIVEN
    assert version.datalab.title == "Stars nearby"
    assert told_by_files(version)["contactPoint.email"] == "ada@example.org"


def test_building_again_without_answers_keeps_it_too(
    workshop: Workshop, version: DatalabVersion, author: Client, developer: Person
) -> None:
    write(version, abstract="Where they move, and why.", citation="Ada 2026")
    first = Build.objects.get()
    assert author.post(f"/builds/{first.pk}/again").status_code == 302
    plan = Build.objects.get(state="planned")
    built(workshop, start_bare(developer, plan))
    told = told_by_files(version)
    assert (told["abstract"], told["citation"]) == ("Where they move, and why.", "Ada 2026")
    assert version.metadata["abstract"] == "Where they move, and why."


def start_bare(person: Person, build: Build) -> Build:
    """Start a build as a program does that answers nothing."""
    return actions.start(by=person, build_id=build.pk, answers={})


def test_a_term_that_was_taken_away_stays_away(
    workshop: Workshop, version: DatalabVersion, author: Client, developer: Person
) -> None:
    write(version, contactPoint__email="")
    build = plan_of(author, version)
    built(workshop, start_bare(developer, build))
    assert "contactPoint.email" not in told_by_files(version)
    assert "contactPoint.email" not in version.metadata


def test_a_file_that_was_changed_by_hand_counts(
    workshop: Workshop, version: DatalabVersion, author: Client, developer: Person
) -> None:
    write(version, title="By the form", citation="Ada 2026")
    text = META.replace("Nearby stars", "By hand") + "funder: ESA\n"
    build = plan_of(author, version, "datalab-meta.yml", text.encode())
    built(workshop, start_bare(developer, build))
    version.refresh_from_db()
    said = {key: version.metadata.get(key) for key in ("title", "citation", "funder")}
    assert said == {"title": "By hand", "citation": "Ada 2026", "funder": "ESA"}
    text = META.replace("Nearby stars", "By hand")
    build = plan_of(author, version, "datalab-meta.yml", text.encode())
    built(workshop, start_bare(developer, build))
    version.refresh_from_db()
    assert "funder" not in version.metadata, "what the file gives up is given up"
    assert "citation" not in version.metadata


def test_a_new_version_begins_with_it(
    workshop: Workshop, version: DatalabVersion, author: Client, developer: Person
) -> None:
    write(version, citation="Ada 2026", distribution__license="MIT")
    DatalabVersion.objects.update(state=State.PUBLISHED)
    meta = META.replace("0.1.0", "0.2.0")
    newer = start(
        developer, bring(developer, {"stars.ipynb": notebook("2"), "datalab-meta.yml": meta}), version="0.2.0"
    )
    built(workshop, newer)
    second = DatalabVersion.objects.get(version="0.2.0")
    assert (second.metadata["citation"], second.metadata["distribution.license"]) == ("Ada 2026", "MIT")
    assert told_by_files(second)["citation"] == "Ada 2026"


def test_what_a_moderator_wrote_stays_out_of_the_file(
    workshop: Workshop, version: DatalabVersion, author: Client, developer: Person
) -> None:
    DatalabVersion.objects.update(metadata={**version.metadata, "ESAOfficial": True})
    build = plan_of(author, version)
    built(workshop, start_bare(developer, build))
    version.refresh_from_db()
    assert version.metadata["ESAOfficial"] is True
    assert "ESAOfficial" not in told_by_files(version)


def test_a_package_says_only_what_its_author_may(workshop: Workshop, developer: Person, client: Client) -> None:
    said = META + "ESAOfficial: true\ndistribution:\n  license: 17\nmission: Gaia\nrelatedLink: no address\n"
    build = bring(developer, {"stars.ipynb": notebook("1"), "datalab-meta.yml": said})
    client.force_login(developer)
    page = client.get(f"/builds/{build.pk}").content.decode()
    assert "Metadata, Licence: “17” is no licence of the SPDX list." in page
    assert "It is left out; you can fill it in once it is built." in page
    built(workshop, start(developer, build))
    version = DatalabVersion.objects.get()
    assert version.metadata["creator.name"] == ["Ada"]
    assert version.metadata["mission"] == ["Gaia"]
    assert not {"ESAOfficial", "distribution.license"} & version.metadata.keys()
    assert "official" not in version.datalab.facets
