"""The pages of sessions: each for its owner, an operator, somebody else and a visitor, and what bad input gets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab
from spacelab.sessions import actions
from spacelab.sessions.models import Session
from spacelab.sessions.upkeep import keep_logs
from spacelab.volumes.models import Volume
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Desired, Phase
from support.people import make_person, signed_in
from support.sessions import QuietRuntime, idle_since, launch, make_archive, make_team, move

RUNNING = (Phase.STARTING, Phase.RUNNING)
LAUNCH = "/datalabs/jupyterlab/launch"


@pytest.fixture
def ada(client: Client, scientist: Person) -> Client:
    """Sign the scientist in."""
    client.force_login(scientist)
    return client


@pytest.fixture
def session(scientist: Person, jupyterlab: Datalab) -> Session:
    """Launch a session."""
    return launch(scientist, title="Parallaxes")


def test_from_the_form_to_the_session_s_page(ada: Client, jupyterlab: Datalab, archive: Volume) -> None:
    page = ada.get(LAUNCH)
    text = page.content.decode()
    assert page.status_code == 200
    assert 'value="euclid" ' in text
    assert "checked" in text
    assert "4 GiB memory" in text
    assert "0 of 4, 4 free" in text
    answer = ada.post(LAUNCH, {"profile": "medium", "volumes": ["euclid"], "title": "Τίτλος", "version": "1.0"})
    session = Session.objects.get()
    assert answer.headers["Location"] == f"/sessions/{session.id}"
    text = ada.get(answer.headers["Location"]).content.decode()
    for part in ("Τίτλος", "queued", "/data/euclid", "/media/user", "Waiting to be started", "data-live"):
        assert part in text
    assert '<noscript><meta http-equiv="refresh"' in text


def test_the_form_remembers_the_last_choices(
    ada: Client, scientist: Person, jupyterlab: Datalab, archive: Volume
) -> None:
    launch(scientist, profile="medium", volumes=[])
    form = ada.get(LAUNCH).context["form"]
    assert (form["profile"].value(), form["volumes"].value()) == ("medium", [])


def test_the_form_offers_only_what_the_person_may_see(ada: Client, jupyterlab: Datalab, tmp_path: Any) -> None:
    make_archive("embargoed", tmp_path, access="restricted")
    make_team("others", make_person("eve"))
    text = ada.get(LAUNCH).content.decode().lower()
    assert "embargoed" not in text
    assert "others" not in text


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"volumes": ["nowhere"]}, 422, "There is no volume “nowhere” that you can use."),
        ({"profile": "enormous"}, 422, "There is no resource profile “enormous”."),
        ({"title": "ж" * 300}, 422, "The title has 300 characters."),
        ({"profile": ""}, 422, "This field is required."),
    ],
)
@pytest.mark.usefixtures("jupyterlab", "archive")
def test_bad_input_is_said_at_its_field_and_kept(ada: Client, change: dict[str, Any], status: int, said: str) -> None:
    entered = {"profile": "medium", "volumes": ["euclid"], "title": "Kept", **change}
    answer = ada.post(LAUNCH, entered)
    form = answer.context["form"]
    assert answer.status_code == status
    assert said in form.errors[next(iter(change))][0]
    assert said in answer.content.decode()
    assert form["title"].value() == entered["title"]
    assert not Workload.objects.exists()


def test_a_profile_beyond_the_quota_is_marked_and_refused(ada: Client, scientist: Person, jupyterlab: Datalab) -> None:
    launch(scientist, profile="large")
    launch(scientist, profile="medium")
    assert ada.get(LAUNCH).content.decode().count("(over your quota)") == 1
    answer = ada.post(LAUNCH, {"profile": "large"})
    assert answer.status_code == 409
    assert "in your quota" in answer.context["form"].errors["profile"][0]
    assert Session.objects.count() == 2


def test_a_full_disk_stands_above_the_form(ada: Client, jupyterlab: Datalab, settings: Any) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"disk_reserve_mb": 10**9})
    answer = ada.post(LAUNCH, {"profile": "small"})
    assert answer.status_code == 503
    assert "disk has only" in answer.content.decode()


def test_the_form_says_what_the_host_lacks(ada: Client, jupyterlab: Datalab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuietRuntime, "warnings", ("This host can't isolate.",))
    assert "This host can&#x27;t isolate." in ada.get(LAUNCH).content.decode()


def test_relaunch_is_one_click(ada: Client, jupyterlab: Datalab, archive: Volume) -> None:
    answer = ada.post("/datalabs/jupyterlab/relaunch")
    assert answer.headers["Location"] == f"/sessions/{Session.objects.get().id}"


def test_an_unknown_datalab_is_not_there(ada: Client, quiet_runtime: object) -> None:
    assert ada.get("/datalabs/nothing/launch").status_code == 404
    assert ada.post("/datalabs/nothing/relaunch").status_code == 404


@pytest.mark.parametrize("path", [LAUNCH, "/sessions", "/sessions/all", "/sessions/{id}", "/sessions/{id}/log"])
def test_a_visitor_is_sent_to_sign_in(client: Client, session: Session, path: str) -> None:
    answer = client.get(path.format(id=session.id))
    assert answer.status_code == 302
    assert "next=" in answer.headers["Location"]


def test_the_list_shows_what_runs_and_what_ended(ada: Client, scientist: Person, session: Session) -> None:
    ended = move(launch(scientist, title="Yesterday"), Phase.STOPPED)
    move(session, *RUNNING)
    text = ada.get("/sessions").content.decode()
    assert f"/sessions/{session.id}/open" in text
    assert f"/sessions/{ended.id}/open" not in text
    assert "Yesterday" in text
    assert f"/sessions/{ended.id}/restart" in text
    fresh = ada.post(f"/sessions/{ended.id}/restart").headers["Location"]
    assert "Yesterday" in ada.get(fresh).content.decode()
    assert ada.post(f"/sessions/{ended.id}/restart").headers["Location"] == fresh


def test_an_empty_list_leads_to_the_catalogue(ada: Client, jupyterlab: Datalab) -> None:
    text = ada.get("/sessions").content.decode()
    assert "No sessions yet" in text
    assert "Everybody" not in text


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("", "get"),
        ("/log", "get"),
        ("/stop", "post"),
        ("/restart", "post"),
        ("/extend", "post"),
        ("/rename", "post"),
    ],
)
def test_somebody_else_s_session_is_not_there(session: Session, path: str, method: str) -> None:
    answer = getattr(signed_in(make_person("eve")), method)(f"/sessions/{session.id}{path}", {"hours": 4})
    unknown = getattr(signed_in(make_person("mallory")), method)(f"/sessions/nosuchone{path}", {"hours": 4})
    assert answer.status_code == unknown.status_code == 404
    assert "Parallaxes" not in answer.content.decode()
    assert Workload.objects.get().desired == Desired.RUN


def test_an_operator_sees_and_stops_but_does_not_open(session: Session, operator: Person) -> None:
    move(session, *RUNNING)
    olga = signed_in(operator)
    assert "Parallaxes" in olga.get("/sessions/all").content.decode()
    text = olga.get(f"/sessions/{session.id}").content.decode()
    assert f"/sessions/{session.id}/open" not in text
    assert f"/sessions/{session.id}/restart" not in text
    assert "Ada" in text
    olga.post(f"/sessions/{session.id}/stop")
    assert Workload.objects.get().stop_reason == "An operator stopped it."
    assert olga.post(f"/sessions/{session.id}/restart").status_code == 404


def test_only_operators_see_everybodys(ada: Client) -> None:
    assert ada.get("/sessions/all").status_code == 403


def test_a_running_session_can_be_opened_and_says_when_it_ends(ada: Client, session: Session) -> None:
    move(session, *RUNNING)
    text = ada.get(f"/sessions/{session.id}").content.decode()
    assert f'href="/sessions/{session.id}/open" target="_blank" rel="noopener"' in text
    assert "data-countdown" in text
    assert "never while it computes" in text
    assert "http-equiv" not in text


def test_a_failed_start_shows_the_error_and_the_log_s_end(
    ada: Client, session: Session, quiet_runtime: type[QuietRuntime]
) -> None:
    quiet_runtime.printed[session.id] = b"first line\n" * 4000 + b"ImportError: <b>no module</b> named astropy\n"
    move(session, Phase.STARTING, Phase.FAILED, reason="The program ended before its interface answered.")
    Workload.objects.update(exit_code=1)
    text = ada.get(f"/sessions/{session.id}").content.decode()
    assert "The program ended before its interface answered." in text
    assert "exit code 1" in text
    assert "ImportError: &lt;b&gt;no module&lt;/b&gt; named astropy" in text
    assert len(text) < 40_000
    assert "data-live" not in text
    whole = ada.get(f"/sessions/{session.id}/log")
    assert whole.headers["Content-Type"].startswith("text/plain")
    assert whole.content.count(b"first line") == 4000


def test_a_log_outlives_what_the_runtime_keeps(
    ada: Client, session: Session, quiet_runtime: type[QuietRuntime]
) -> None:
    printed = b"0123456789" * 20_000 + b"\nthe last line\n"
    quiet_runtime.printed[session.id] = printed
    move(session, Phase.STARTING, Phase.FAILED)
    keep_logs()
    assert not Workload.objects.get().held
    del quiet_runtime.printed[session.id]
    assert "the last line" in ada.get(f"/sessions/{session.id}").content.decode()
    assert ada.get(f"/sessions/{session.id}/log").content == printed[-actions.KEPT_LOG_BYTES :]
    answer = ada.get(f"/api/v1/sessions/{session.id}/log?since={len(printed) - 9}")
    assert (answer.content, answer.headers["X-Next-Since"]) == (b"ast line\n", str(len(printed)))


def test_a_warned_session_shows_the_countdown_and_the_way_out(ada: Client, session: Session) -> None:
    move(session, *RUNNING)
    idle_since(session, timedelta(hours=8))
    Session.objects.update(warned_at=timezone.now())
    assert "Nobody uses this session." in ada.get(f"/sessions/{session.id}").content.decode()
    answer = ada.post(f"/sessions/{session.id}/extend", {"hours": "4"}, follow=True)
    text = answer.content.decode()
    assert "kept for 4 hours" in text
    assert "Nobody uses this session." not in text
    assert ada.post(f"/sessions/{session.id}/extend", {"hours": "many"}).status_code == 422


def test_stop_restart_and_rename(ada: Client, session: Session) -> None:
    move(session, *RUNNING)
    ada.post(f"/sessions/{session.id}/rename", {"title": "星"})
    assert "星" in ada.get(f"/sessions/{session.id}").content.decode()
    assert (
        "at most 120" in ada.post(f"/sessions/{session.id}/rename", {"title": "x" * 300}, follow=True).content.decode()
    )
    ada.post(f"/sessions/{session.id}/restart")
    assert "restarting" in ada.get(f"/sessions/{session.id}").content.decode()
    ada.post(f"/sessions/{session.id}/stop")
    assert "stopping" in ada.get(f"/sessions/{session.id}").content.decode()
    move(session, Phase.STOPPED)
    assert "Launch again" in ada.get(f"/sessions/{session.id}").content.decode()


def test_a_restarted_session_s_page_leads_to_the_new_one(ada: Client, scientist: Person, session: Session) -> None:
    fresh = launch(scientist)
    Session.objects.filter(pk=session.id).update(restarted_as=fresh)
    move(session, Phase.STOPPED)
    assert ada.get(f"/sessions/{session.id}").headers["Location"] == f"/sessions/{fresh.id}"
    assert ada.get(f"/sessions/{session.id}?stay").status_code == 200


def test_changes_need_a_post(ada: Client, session: Session) -> None:
    for verb in ("stop", "restart", "extend", "rename"):
        assert ada.get(f"/sessions/{session.id}/{verb}").status_code == 405


def test_the_start_page_shows_what_runs(ada: Client, session: Session) -> None:
    text = ada.get("/").content.decode()
    assert "Parallaxes" in text
    assert f"/sessions/{session.id}" in text


def test_a_session_that_finds_nothing_where_it_opens_says_what_to_do(ada: Client, session: Session) -> None:
    move(session, *RUNNING)
    Workload.objects.update(trouble="misplaced", reason="It answers “not found” at /, where it is opened.")
    text = ada.get(f"/sessions/{session.id}").content.decode()
    assert "It answers “not found” at /" in text
    assert "/datalabs/{id}/" in text


def test_nobody_launches_as_last_time_for_the_first_time(ada: Client, scientist: Person, jupyterlab: Datalab) -> None:
    page = "/catalogue/jupyterlab/"
    assert "as last time" not in ada.get(page).content.decode()
    launch(make_person("grace"))
    assert "as last time" not in ada.get(page).content.decode()
    launch(scientist)
    assert "Launch as last time" in ada.get(page).content.decode()
    assert "as last time" not in Client().get(page).content.decode()


@pytest.mark.parametrize("path", ["/", "/catalogue/jupyterlab/"])
def test_relaunch_is_at_hand(ada: Client, session: Session, path: str) -> None:
    assert 'action="/datalabs/jupyterlab/relaunch"' in ada.get(path).content.decode()


def test_a_first_visit_is_told_how_to_begin_and_a_later_one_is_not(
    ada: Client, scientist: Person, jupyterlab: Datalab
) -> None:
    start, listed = ada.get("/").content.decode(), ada.get("/sessions").content.decode()
    assert "Welcome, " in start
    assert "Pick a datalab" in start
    assert "Running now" not in start
    assert "first-steps" in listed
    assert "Launch another" not in listed
    launch(scientist)
    start, listed = ada.get("/").content.decode(), ada.get("/sessions").content.decode()
    assert "Welcome back, " in start
    assert "Running now" in start
    assert "first-steps" not in listed
    assert "Launch another" in listed


def test_a_step_says_nothing_twice(ada: Client, session: Session) -> None:
    move(session, Phase.STARTING)
    move(session, Phase.RUNNING, reason="Running.")
    move(session, Phase.STOPPED, reason="Stopped: You stopped it.")
    steps = [(one.title, one.reason) for one in ada.get(f"/sessions/{session.id}").context["steps"]]
    assert ("Running", "") in steps
    assert ("Stopped", "You stopped it.") in steps
