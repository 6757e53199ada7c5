"""What a pipeline needs beside its own files: the catalogue's steps, as far as somebody may see them."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from spacelab.kit.refusals import Conflict, NotFound
from spacelab.pipelines import queries, rules
from spacelab.pipelines.models import Software
from spacelab.workloads.rules import Capabilities
from support.datalabs import make_datalab
from support.people import make_person
from support.pipelines import FILES, TOOL, USING, make_pipeline, make_step

pytestmark = pytest.mark.django_db


def test_a_bundle_holds_the_steps_at_the_paths_by_which_they_are_used() -> None:
    make_step("say")
    found = queries.bundle(make_pipeline(files={"main.cwl": USING}))
    assert found.files == {"main.cwl": USING, "catalogue/say/1.0.cwl": TOOL}
    assert found.missing == []


def test_a_step_in_a_subfolder_is_found_relative_to_it_and_steps_of_steps_too() -> None:
    make_step("say")
    inner = make_pipeline("inner", files={"inner.cwl": USING})
    outer = make_pipeline("outer", files={"main.cwl": "run: sub/a.cwl", "sub/a.cwl": "run: ../catalogue/inner/1.0.cwl"})
    found = queries.bundle(outer)
    assert found.files["catalogue/inner/1.0.cwl"] == inner.files["inner.cwl"]
    assert found.files["catalogue/inner/catalogue/say/1.0.cwl"] == TOOL


def test_what_is_not_there_or_not_hers_is_missing_alike() -> None:
    ada, bob = make_person("ada", "developer"), make_person("bob", "developer")
    make_step("say", state="built", maintainer=bob)
    mine = make_pipeline(files={"main.cwl": USING + "# catalogue/none/2.0.cwl\n"}, state="built", maintainer=ada)
    found = queries.bundle(mine, ada)
    assert [(one.slug, one.version) for one in found.missing] == [("say", "1.0"), ("none", "2.0")]
    assert "catalogue/say/1.0.cwl" not in found.files


def test_whoever_shares_a_pipeline_shares_her_own_steps_in_it() -> None:
    ada = make_person("ada", "developer")
    make_step("say", state="built", maintainer=ada)
    shared = make_pipeline(files={"main.cwl": USING}, state="built", maintainer=ada)
    assert queries.bundle(shared, make_person("bob")).missing == []


def test_steps_that_use_themselves_end() -> None:
    make_step("say")
    loop = make_pipeline("loop", files={"loop.cwl": "run: catalogue/loop/1.0.cwl"})
    found = queries.bundle(loop)
    assert len(found.steps) == rules.DEEPEST
    assert found.missing


def test_drafts_of_others_are_as_absent_as_what_there_never_was() -> None:
    ada, bob = make_person("ada", "developer"), make_person("bob")
    draft = make_pipeline("secret", state="built", maintainer=ada)
    assert queries.find_seen(ada, "secret") == draft
    said = []
    for slug in ("secret", "nothing"):
        with pytest.raises(NotFound) as refusal:
            queries.find_seen(bob, slug)
        said.append(refusal.value.message.replace(slug, "X"))
    assert said[0] == said[1]


def test_without_a_version_the_newest_published_one_is_found_and_what_is_not_valid_cant_be_run() -> None:
    ada = make_person("ada", "developer")
    old = make_pipeline("p", maintainer=ada)
    make_pipeline("p", version="2.0", state="build-failed", maintainer=ada)
    assert queries.find_seen(ada, "p") == old
    assert queries.find_launchable(ada, "p") == old
    with pytest.raises(Conflict, match="not valid"):
        queries.find_launchable(ada, "p", "2.0")


def test_software_that_the_platform_knows_becomes_an_environment() -> None:
    Software.objects.create(name="figlet", version="1.0", environment="figlet-abc")
    files = {
        "a.cwl": "hints:\n  DockerRequirement: {dockerPull: 'software/figlet:1.0'}\n",
        "b.cwl": "dockerPull: debian",
    }
    assert queries.environments_for(make_person(), files) == {"software/figlet:1.0": "figlet-abc"}
    assert queries.environments_for(make_person("bob"), FILES) == {}


def test_what_a_datalab_was_built_as_is_software_of_steps_too() -> None:
    make_datalab("lab").versions.update(environment="lab-abc")
    make_datalab("boxed").versions.update(image="boxed:1.0")
    make_datalab("secret", state="built").versions.update(environment="secret-abc")
    names = ("lab:1.0", "lab:2.0", "boxed:1.0", "secret:1.0")
    files = {"a.cwl": "\n".join(f"dockerPull: datalabs/{name}" for name in names)}
    found = queries.environments_for(make_person(), files)
    assert found == {"datalabs/lab:1.0": "lab-abc", "datalabs/boxed:1.0": "image:boxed:1.0"}


def test_many_names_of_software_are_looked_up_together(django_assert_max_num_queries: Any) -> None:
    bob = make_person("bob")
    kinds = ("datalabs", "software")
    text = "\n".join(f"dockerPull: {kinds[number % 2]}/tool-{number}:1.0" for number in range(1000))
    with django_assert_max_num_queries(8):
        assert queries.environments_for(bob, {"a.cwl": text}) == {}


def test_where_there_are_images_those_that_the_operator_allows_and_that_are_here_can_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allowed = {"pipeline_images": ["python:3*", "docker.io/library/*"]}
    monkeypatch.setattr(settings, "SPACELAB", settings.SPACELAB.model_copy(update=allowed))
    files = {
        "a.cwl": "\n".join(f"dockerPull: {name}" for name in ("python:3.12", "python:2", "docker.io/library/gone"))
    }
    assert queries.environments_for(make_person(), files) == {}
    can = Capabilities(images=True, isolation="container", limits="cgroup")
    monkeypatch.setattr("spacelab.workloads.queries.capabilities", lambda: can)
    monkeypatch.setattr("spacelab.workloads.queries.lacks", lambda *, image: image.endswith("gone"))
    assert queries.environments_for(make_person("bob"), files) == {"python:3.12": "image:python:3.12"}
