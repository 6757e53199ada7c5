"""Mail of a running platform: an invitation reaches its person through the controller and a server that wants TLS."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import httpx
import pytest

from support.client import Client
from support.mail_server import PASSWORD, USER, mail_server
from support.platform import running_platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow, pytest.mark.long]

PATIENCE = 150.0
"""Seconds: the controller looks for invitations, mail waits a minute for more news, then it goes."""


def test_an_invitation_comes_by_mail_and_its_link_ends_such_mail(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    with (
        mail_server(security="starttls", folder=tmp_path) as (received, port, authority),
        running_platform(
            SPACELAB_MAIL_HOST="127.0.0.1",
            SPACELAB_MAIL_PORT=str(port),
            SPACELAB_MAIL_USER=USER,
            SPACELAB_MAIL_PASSWORD_FILE=str(secret),
            SPACELAB_MAIL_CA=str(authority),
        ) as platform,
    ):
        added = platform.command("person", "add", "bob", "--email", "bob@example.org", "--role", "scientist")
        assert added.returncode == 0, added.stderr
        client = Client(platform)
        client.api("POST", "/teams", json={"name": "Plasma", "slug": "plasma"}).raise_for_status()
        client.api("POST", "/teams/plasma/invitations", json={"username": "bob"}).raise_for_status()
        deadline = time.monotonic() + PATIENCE
        while not received.mails and time.monotonic() < deadline:
            time.sleep(0.2)
        (mail,) = received.mails
        assert received.recipients == [["bob@example.org"]]
        assert (received.protected, received.signed_in) == ([True], [True])
        assert mail["Subject"] == "Dana (demo scientist) invites you into the team Plasma"
        leave = mail["List-Unsubscribe"].strip(" <>")
        assert leave.startswith(f"{platform.url}/notifications/unsubscribe/")
        address = leave.replace("localhost", "127.0.0.1", 1)
        host = {"Host": f"localhost:{platform.port}"}
        done = httpx.post(address, data={"List-Unsubscribe": "One-Click"}, headers=host)
        assert done.status_code == 200
        assert "Team invitation" in done.text
        findings = json.loads(platform.command("doctor", "--json").stdout)
        (finding,) = [one for one in findings if one["name"] == "Mail"]
        assert finding["ok"], finding
        logs = "".join(log.read_text(errors="replace") for log in (platform.state / "log").glob("*.log"))
        assert PASSWORD not in logs
        assert not re.search(r"unsubscribe/\S{20}", logs)
