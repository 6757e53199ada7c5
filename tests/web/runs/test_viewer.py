"""What a run looks like: the head of a failed one, graph, timeline, jobs, files with previews, two runs compared."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.runs.models import Run
from spacelab.workloads.rules import Phase
from support import run_pages
from support.people import make_person, signed_in
from support.runs import Coordinator, launch, workspace_of
from support.sessions import make_team

pytestmark = pytest.mark.usefixtures("quiet_runtime")
PAGES = ("", "jobs", "jobs/report/", "files/", "files/catalogue.csv", "raw/catalogue.csv", "raw/plot.png", "events")
FILES = ("files/", "files/catalogue.csv", "raw/catalogue.csv")


@pytest.fixture
def ada(client: Client, scientist: Person) -> Client:
    """Sign the scientist in."""
    client.force_login(scientist)
    return client


@pytest.fixture
def good(scientist: Person) -> Run:
    """Make a run that went well."""
    return run_pages.succeeded(scientist)


def text_of(client: Client, path: str, **headers: str) -> str:
    """Get a page that has to be there."""
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_a_failed_run_says_first_what_failed_why_and_what_to_do(ada: Client, scientist: Person) -> None:
    run = run_pages.failed(scientist)
    text = text_of(ada, f"/runs/{run.pk}/")
    order = [
        "detect.4 failed (exit code 1).",
        "threshold must be positive",
        "Look at its last lines, change the input or the step",
        "python3 -m astro.detect --frame /media/user/frames/frame_004.fits",
        "WARNING: 17 pixels are saturated",
        "Retry what failed",
        "Change inputs and run again",
        f"/runs/{run.pk}/jobs/detect.4/",
        'id="run-graph"',
        'id="run-steps"',
        'id="run-timeline"',
        'id="run-outputs"',
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "\x1b" not in text
    assert text.count("WARNING: 17 pixels are saturated") == 1


def test_the_graph_says_each_state_in_words_and_leads_to_the_jobs(ada: Client, scientist: Person) -> None:
    run = run_pages.failed(scientist)
    text = text_of(ada, f"/runs/{run.pk}/")
    box = re.search(r'<a href="([^"]*)"[^>]*id="box-detect"[^>]*aria-label="([^"]*)"[^>]*data-state="failed"', text)
    assert box
    assert box[1] == f"/runs/{run.pk}/jobs?step=detect"
    assert "4 of 8, 1 failed" in box[2]
    assert "of the CPU time" in box[2]
    assert re.search(r'class="graph-words"[^>]*>✕ 4 of 8, 1 failed · 10 s<', text)
    assert re.search(r'<g class="graph-box" id="box-merge"[^>]*data-state="not-run"', text)
    steps = text.partition('id="run-steps"')[2].partition("</section>")[0]
    assert re.search(r"not run</span>\s*<span class=\"soft\">It needs what “[^”]+” makes, which failed\.", steps)
    assert "waiting" not in steps
    assert re.search(r'data-kind="output"[^>]*data-state="not-run"', text)


def test_the_boxes_of_a_run_that_has_not_started_are_there_to_be_changed(ada: Client, scientist: Person) -> None:
    told = Coordinator(launch(scientist))
    queued = text_of(ada, f"/runs/{told.run_id}/")
    told.begin()
    told.start("count")
    told.followed()
    running = text_of(ada, f"/runs/{told.run_id}/")
    boxes = [re.findall(r'id="(box-[^"]*)"', page) for page in (queued, running)]
    assert boxes[0] == boxes[1] == ["box-count", "box-counted"]
    assert re.search(r'id="box-count"[^>]*data-state="waiting"', queued)


def test_jobs_of_a_scatter_open_page_by_page_and_by_state(ada: Client, scientist: Person) -> None:
    run = run_pages.failed(scientist, frames=60)
    whole = text_of(ada, f"/runs/{run.pk}/jobs?step=detect")
    assert whole.count('<th scope="row">') == 31
    part = text_of(ada, f"/runs/{run.pk}/jobs?step=calibrate", **{"HX-Request": "true"})
    assert "<html" not in part
    assert part.count('<th scope="row">') == 25
    assert f'href="/runs/{run.pk}/jobs?step=calibrate&amp;page=2"' in part
    only = text_of(ada, f"/runs/{run.pk}/jobs?step=detect&state=failed")
    assert only.count('<th scope="row">') == 1
    assert "detect.30" in only


def test_problems_stand_with_their_lines(ada: Client, scientist: Person) -> None:
    told = Coordinator(launch(scientist))
    told.begin()
    told.say(
        "problem",
        severity="error",
        message="There is no such port.",
        advice="x",
        file="main.cwl",
        line=11,
        node="count",
    )
    told.finish("failed", reason="The document has an error.")
    told.carried(Phase.FAILED, exit_code=1)
    told.followed()
    text = text_of(ada, f"/runs/{told.run_id}/")
    assert re.search(r'class="fault"><span class="soft">11 ▸</span>     run: count.cwl</span>', text)
    assert "The document has an error." in text


def test_outputs_are_listed_by_name_and_opened(ada: Client, good: Run) -> None:
    text = text_of(ada, f"/runs/{good.pk}/")
    for name in ("catalogue", "mosaic", "plot", "sources"):
        assert f"<dt>{name}</dt>" in text
    assert "report.log" in text
    assert f'hx-get="/runs/{good.pk}/files/catalogue.csv"' in text
    page = text_of(ada, f"/runs/{good.pk}/files/catalogue.csv")
    assert "sha1$" in page
    assert ">ra</th>" in page
    assert 'of <span class="figure">213</span>' in page
    assert "<html" not in text_of(ada, f"/runs/{good.pk}/files/catalogue.csv", **{"HX-Request": "true"})
    assert f'<img src="/runs/{good.pk}/raw/plot.png"' in text_of(ada, f"/runs/{good.pk}/files/plot.png")
    assert "214 sources" in text_of(ada, f"/runs/{good.pk}/files/report.log")


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="this machine has no bubblewrap")
def test_a_fits_image_is_drawn_as_asked(ada: Client, good: Run) -> None:
    text = text_of(ada, f"/runs/{good.pk}/files/mosaic.fits?stretch=zscale&part=0&plane=x&first=-1")
    assert 'src="data:image/png;base64,' in text
    assert "<option selected>zscale</option>" in text
    assert "360 \u00d7 240" in text
    assert "OBJECT" in text


def test_a_file_is_sent_so_that_it_does_nothing(ada: Client, good: Run, scientist: Person) -> None:
    folder = workspace_of(scientist) / good.results
    (folder / "page.html").write_text("<script>alert(1)</script>")
    (folder / "fake.png").write_text("<script>alert(1)</script>")
    for name, media_type, how in (
        ("plot.png", "image/png", "inline"),
        ("page.html", "application/octet-stream", "attachment"),
        ("fake.png", "application/octet-stream", "attachment"),
        ("catalogue.csv", "application/octet-stream", "attachment"),
    ):
        answer = ada.get(f"/runs/{good.pk}/raw/{name}")
        assert answer.headers["Content-Type"] == media_type, name
        assert answer.headers["Content-Disposition"].startswith(how), name
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert ada.get(f"/runs/{good.pk}/raw/plot.png?download").headers["Content-Disposition"].startswith("attachment")
    assert "<script>alert" not in text_of(ada, f"/runs/{good.pk}/files/page.html")


def test_nothing_outside_the_folder_of_outputs_is_opened(
    ada: Client, good: Run, scientist: Person, tmp_path: Path
) -> None:
    root = workspace_of(scientist)
    (root / "mine.txt").write_text("mine")
    (tmp_path / "host.txt").write_text("host")
    folder = root / good.results
    (folder / "link.txt").symlink_to(tmp_path / "host.txt")
    (folder / "folder").symlink_to(tmp_path)
    (folder / "inner").mkdir()
    for path in (
        "../../mine.txt",
        "%2e%2e/%2e%2e/mine.txt",
        "link.txt",
        "folder/host.txt",
        "inner",
        "missing",
        "a%00b",
    ):
        for page in ("files", "raw"):
            assert ada.get(f"/runs/{good.pk}/{page}/{path}").status_code == 404, path
    assert "link.txt" not in text_of(ada, f"/runs/{good.pk}/files/")


def test_another_person_s_run_is_as_if_absent(good: Run) -> None:
    eve = signed_in(make_person("eve"))
    for page in PAGES:
        answer = eve.get(f"/runs/{good.pk}/{page}")
        assert answer.status_code == 404, page
        assert good.title not in answer.content.decode(), page
        assert signed_in(None).get(f"/runs/{good.pk}/{page}").status_code in {302, 401}, page
    assert eve.get(f"/runs/compare?left={good.pk}&right={good.pk}").status_code == 404
    own = run_pages.succeeded(make_person("ben"))
    ben = signed_in(own.owner)
    assert ben.get(f"/runs/compare?left={own.pk}&right={good.pk}").status_code == 404
    assert good.pk not in text_of(ben, f"/runs/{own.pk}/")


def test_a_team_looks_at_files_and_an_operator_does_not(good: Run, scientist: Person, operator: Person) -> None:
    ben = make_person("ben")
    team = make_team("plasma", scientist, ben)
    Run.objects.filter(pk=good.pk).update(team=team)
    for page in FILES:
        assert signed_in(ben).get(f"/runs/{good.pk}/{page}").status_code == 200, page
        assert signed_in(operator).get(f"/runs/{good.pk}/{page}").status_code == 404, page
    text = text_of(signed_in(operator), f"/runs/{good.pk}/")
    assert "catalogue.csv" in text
    assert f"/runs/{good.pk}/files/" not in text
    assert "Change inputs" not in text_of(signed_in(ben), f"/runs/{good.pk}/")


def test_two_runs_stand_side_by_side_differences_first(ada: Client, good: Run, scientist: Person) -> None:
    changed = run_pages.tool("detect").replace("astro.detect", "astro.deeper")
    other = run_pages.succeeded(scientist, threshold=5.0, version="1.3", detect=changed)
    assert f'<option value="{other.pk}">' in text_of(ada, f"/runs/{good.pk}/")
    text = text_of(ada, f"/runs/compare?left={good.pk}&right={other.pk}")
    differing = re.findall(r"<tr data-differs><th scope=\"row\">([^<]*)</th>", text)
    assert differing == ["Pipeline", "threshold", "detect.cwl", "catalogue", "sources"]
    assert "astro.deeper]</code>" in text
    same = text_of(ada, f"/runs/compare?left={good.pk}&right={good.pk}")
    assert "Nothing differs but the times." in same
    assert "data-differs" not in same


def test_a_job_s_page_shows_command_files_and_what_it_printed(ada: Client, scientist: Person) -> None:
    run = run_pages.failed(scientist)
    text = text_of(ada, f"/runs/{run.pk}/jobs/detect.4/")
    for part in (
        "astro.detect",
        "frame_004.fits",
        "in /media/user/frames",
        "8.64 MB",
        "310 MB",
        "photometry-1",
        "Retry",
    ):
        assert part in text
    assert "data-live" not in text
    story = run_pages.running(scientist)
    assert f'data-live="/runs/{story.run_id}/jobs/detect.2/events"' in text_of(
        ada, f"/runs/{story.run_id}/jobs/detect.2/"
    )
    assert ada.get(f"/runs/{run.pk}/jobs/detect.99/").status_code == 404


def test_a_run_of_many_jobs_has_a_page_of_bounded_size(ada: Client, scientist: Person) -> None:
    few = len(text_of(ada, f"/runs/{run_pages.failed(scientist, frames=30).pk}/"))
    many = len(text_of(ada, f"/runs/{run_pages.failed(scientist, frames=600).pk}/"))
    assert many < few + 40_000
