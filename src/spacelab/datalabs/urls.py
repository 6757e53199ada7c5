"""Addresses of the app store."""

from django.urls import path
from django.views.decorators.http import require_safe

from spacelab.datalabs import feedback_views, views
from spacelab.datalabs.author_views import PAGES

app_name = "datalabs"
urlpatterns = [
    path("catalogue/", views.catalogue, name="catalogue"),
    path("catalogue/<slug:slug>/", views.detail, name="detail"),
    path("catalogue/<slug:slug>/icon.svg", views.icon, name="icon"),
    path("bookmarks/", feedback_views.bookmarks, name="bookmarks"),
    path("catalogue/<slug:slug>/bookmark", feedback_views.bookmark, name="bookmark"),
    path("catalogue/<slug:slug>/rating", feedback_views.rating, name="rating"),
    path("catalogue/<slug:slug>/comments/", feedback_views.comments, name="comments"),
    path("catalogue/<slug:slug>/comments/<int:comment_id>/", feedback_views.comment, name="comment"),
    path("catalogue/<slug:slug>/comments/<int:comment_id>/edit", feedback_views.edit_comment, name="edit-comment"),
    path("catalogue/<slug:slug>/comments/<int:comment_id>/delete", feedback_views.take_back_comment, name="take-back"),
    path("catalogue/<slug:slug>/comments/<int:comment_id>/hide", feedback_views.hide_comment, name="hide-comment"),
    path("catalogue/<slug:slug>/report", feedback_views.report, name="report"),
    path("author/", require_safe(PAGES.own), name="author-list"),
    path(
        "catalogue/<slug:slug>/versions/<str:version>/metadata/<str:format_name>",
        require_safe(PAGES.export_metadata),
        name="metadata-export",
    ),
    *PAGES.urls("author/<slug:slug>/<str:version>/"),
]
