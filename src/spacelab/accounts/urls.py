"""The addresses of accounts."""

from __future__ import annotations

from django.urls import path

from spacelab.accounts.views import own, people, sign_in, teams

app_name = "accounts"

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-in/demo/", sign_in.sign_in_as_demo, name="sign-in-demo"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("password-link/<str:secret>/", sign_in.password_link, name="password-link"),
    path("set-password/", sign_in.set_password, name="set-password"),
    path("request-access/", sign_in.request_access, name="request-access"),
    path("request-access/thanks/", sign_in.access_requested, name="access-requested"),
    path("account/", own.profile, name="profile"),
    path("account/password/", own.password, name="password"),
    path("account/tokens/", own.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", own.revoke_token, name="revoke-token"),
    path("teams/", teams.teams, name="teams"),
    path("teams/<str:slug>/", teams.team, name="team"),
    path("teams/<str:slug>/rename/", teams.rename, name="team-rename"),
    path("teams/<str:slug>/invite/", teams.invite, name="team-invite"),
    path("teams/<str:slug>/withdraw/", teams.withdraw, name="team-withdraw"),
    path("teams/<str:slug>/remove/", teams.remove, name="team-remove"),
    path("teams/<str:slug>/owner/", teams.owner, name="team-owner"),
    path("teams/<str:slug>/leave/", teams.leave, name="team-leave"),
    path("invitations/<int:invitation_id>/accept/", teams.accept, name="accept-invitation"),
    path("invitations/<int:invitation_id>/decline/", teams.decline, name="decline-invitation"),
    path("people/", people.people, name="people"),
    path("people/add/", people.add, name="person-add"),
    path("people/of/<str:username>/", people.person, name="person"),
    path("people/of/<str:username>/deactivate/", people.deactivate, name="person-deactivate"),
    path("people/of/<str:username>/reactivate/", people.reactivate, name="person-reactivate"),
    path("people/of/<str:username>/link/", people.make_link, name="person-link"),
    path("access-requests/", people.access_requests, name="access-requests"),
    path("access-requests/<int:request_id>/", people.access_request, name="access-request"),
    path("roles/", people.roles, name="roles"),
    path("roles/<str:role>/", people.change_role, name="role-change"),
]
