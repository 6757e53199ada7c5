"""Addresses of the app store."""

from django.urls import path

from spacelab.datalabs import author_views, feedback_views, metadata_views, views

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
    path("author/", author_views.own, name="author-list"),
    path("author/<slug:slug>/<str:version>/", author_views.home, name="author"),
    path(
        "catalogue/<slug:slug>/versions/<str:version>/metadata/<str:format_name>",
        metadata_views.export,
        name="metadata-export",
    ),
    path("author/<slug:slug>/<str:version>/metadata", metadata_views.edit, name="author-metadata"),
    path("author/<slug:slug>/<str:version>/metadata/import", metadata_views.take_in, name="import-metadata"),
    path("author/<slug:slug>/<str:version>/visibility", author_views.visibility, name="author-visibility"),
    path("author/<slug:slug>/<str:version>/history", author_views.history, name="author-history"),
    path("author/<slug:slug>/<str:version>/advance", author_views.advance, name="advance"),
    path("author/<slug:slug>/<str:version>/delete", author_views.delete_draft, name="delete-draft"),
]
