"""What a person sets in JupyterLab is there in her next session of the same datalab."""

from __future__ import annotations

import pytest

from support.client import Client, Kernel
from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow, pytest.mark.long]

THEME = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
CHOSEN = '{"theme": "JupyterLab Dark"}'


def test_a_setting_outlives_its_session(platform: Platform) -> None:
    client = Client(platform)
    first = client.launch()
    try:
        page = client.inside(first, "GET", f"/datalabs/{first}/lab")
        xsrf = page.cookies.get("_xsrf") or ""
        headers = {"X-XSRFToken": xsrf, "Cookie": f"_xsrf={xsrf}"}
        saved = client.inside(first, "PUT", f"/datalabs/{first}{THEME}", json={"raw": CHOSEN}, headers=headers)
        assert saved.status_code == 204, saved.text
        where = Kernel(Client(platform), first).run("import os; print(os.environ['JUPYTER_CONFIG_DIR'])").strip()
    finally:
        client.stop(first)
    assert where.endswith("/.jupyterlab-jupyterlab")
    assert first not in where
    second = client.launch()
    try:
        found = client.inside(second, "GET", f"/datalabs/{second}{THEME}").raise_for_status().json()
    finally:
        client.stop(second)
    assert found["raw"] == CHOSEN
