"""Addresses of runs."""

from __future__ import annotations

from django.urls import path

from spacelab.runs import canvas_views, launch_views, viewer_views, views
from spacelab.runs.schedules import views as schedule_views

app_name = "runs"
urlpatterns = [
    path("pipelines/<slug:slug>/launch", launch_views.launch, name="launch"),
    path("pipelines/<slug:slug>/<str:version>/test", canvas_views.trial, name="test"),
    path("pipelines/<slug:slug>/forget", launch_views.forget, name="forget"),
    path("pipelines/<slug:slug>/schedule", schedule_views.new, name="schedule-new"),
    path("schedules/", schedule_views.schedules, name="schedules"),
    path("schedules/<str:schedule_id>/", schedule_views.schedule, name="schedule"),
    path("schedules/<str:schedule_id>/change", schedule_views.change, name="schedule-change"),
    *(
        path(f"schedules/<str:schedule_id>/{verb}", schedule_views.act, {"verb": verb}, name=f"schedule-{verb}")
        for verb in ("pause", "resume", "run", "delete")
    ),
    path("runs/", views.listing, name="list"),
    path("runs/events", views.list_events, name="list-events"),
    path("runs/browse", canvas_views.browse, name="browse"),
    path("runs/compare", viewer_views.compare, name="compare"),
    path("runs/<str:run_id>/", viewer_views.detail, name="detail"),
    path("runs/<str:run_id>/events", viewer_views.events, name="events"),
    path("runs/<str:run_id>/canvas", canvas_views.events, name="canvas"),
    path("runs/<str:run_id>/jobs", viewer_views.jobs, name="jobs"),
    path("runs/<str:run_id>/job", viewer_views.job, name="job"),
    path("runs/<str:run_id>/jobs/<path:name>/events", viewer_views.job_events, name="job-events"),
    path("runs/<str:run_id>/jobs/<path:name>/", viewer_views.job, name="job-page"),
    path("runs/<str:run_id>/files/", viewer_views.files, name="files"),
    path("runs/<str:run_id>/files/<path:path>", viewer_views.file, name="file"),
    path("runs/<str:run_id>/raw/<path:path>", viewer_views.raw, name="raw"),
    path("runs/<str:run_id>/log", views.log, name="log"),
    path("runs/<str:run_id>/again", launch_views.again, name="again"),
    path("runs/<str:run_id>/job-order", launch_views.job_order, name="job-order"),
    path("runs/<str:run_id>/crate", views.crate, name="crate"),
    path("runs/<str:run_id>/stop", views.stop, name="stop"),
    path("runs/<str:run_id>/pause", views.pause, name="pause"),
    path("runs/<str:run_id>/unpause", views.unpause, name="unpause"),
    path("runs/<str:run_id>/resume", views.resume, name="resume"),
    path("runs/<str:run_id>/rename", views.rename, name="rename"),
    path("runs/<str:run_id>/delete", views.delete, name="delete"),
]
