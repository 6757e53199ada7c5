"""Addresses of the editor: its page, and what the page asks for."""

from __future__ import annotations

from django.urls import path

from spacelab.pipelines import editor_views

EDITOR = [
    path("pipelines/editor/read", editor_views.read, name="editor-read"),
    path("pipelines/editor/edit", editor_views.edit, name="editor-edit"),
    path("pipelines/editor/copy", editor_views.copy, name="editor-copy"),
    path("pipelines/editor/make", editor_views.make, name="editor-make"),
    path("pipelines/editor/steps", editor_views.steps, name="editor-steps"),
    path("pipelines/<slug:slug>/<str:version>/edit", editor_views.page, name="edit"),
    path("pipelines/<slug:slug>/<str:version>/edit/save", editor_views.save, name="edit-save"),
]
