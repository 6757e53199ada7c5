"""The addresses of news."""

from __future__ import annotations

from django.urls import path

from spacelab.notifications import views

app_name = "notifications"

urlpatterns = [
    path("notifications/", views.news, name="list"),
    path("notifications/bell/", views.bell, name="bell"),
    path("notifications/read/", views.read_all, name="read-all"),
    path("notifications/<int:notification_id>/", views.open_news, name="open"),
    path("notifications/<int:notification_id>/read/", views.read, name="read"),
    path("notifications/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("account/notifications/", views.choices, name="choices"),
    path("account/notifications/feed/", views.renew_feed, name="renew-feed"),
    path("account/notifications/feed/end/", views.end_feed, name="end-feed"),
    path("feeds/<str:secret>.atom", views.feed, name="feed"),
]
