"""Counts the files of SERVICE_INPUT_DIR at every visit, and writes the sum into SERVICE_OUTPUT_DIR."""

import json
import os
from pathlib import Path

from aiohttp import web

PREFIX = os.environ.get("PATH_PREFIX", "").rstrip("/")
INPUT = Path(os.environ["SERVICE_INPUT_DIR"])
OUTPUT = Path(os.environ["SERVICE_OUTPUT_DIR"])
OWN = Path(os.environ["SERVICE_USER_APP_DATA"])


async def count(_request: web.Request) -> web.Response:
    visits = OWN / "visits"
    number = int(visits.read_text()) + 1 if visits.exists() else 1
    visits.write_text(str(number))
    result = {"files": sum(file.is_file() for file in INPUT.rglob("*")), "visit": number}
    (OUTPUT / "count.json").write_text(json.dumps(result))
    return web.json_response(result)


application = web.Application()
application.router.add_get(f"{PREFIX}/", count)
web.run_app(application, host="127.0.0.1", port=int(os.environ.get("IF_main_port", "10000")), print=None)
