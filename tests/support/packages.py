"""Packages for tests of builds: notebooks, uploads, and a Git repository served over http on loopback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from spacelab.builds.packages import Brought

META = (
    "title: Nearby stars\nalternateName: nearby-stars\nabstract: Where nearby stars move.\nversion: 0.1.0\n"
    "creator:\n  name: Ada\ncontactPoint:\n  email: ada@example.org\n"
)


def notebook(*cells: str, text: str = "# Nearby stars\n\nWhere nearby stars move.") -> str:
    """Write a notebook with a text and these code cells."""
    blank: dict[str, object] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    code = [{**blank, "source": cell, "id": f"c{number}"} for number, cell in enumerate(cells)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps(
        {
            "cells": [{"cell_type": "markdown", "metadata": {}, "source": text, "id": "text"}, *code],
            "metadata": kernel,
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


def files_of(contents: Mapping[str, str | bytes]) -> list[Brought]:
    """Make an upload of path → content."""
    return [
        Brought(path, io.BytesIO(content if isinstance(content, bytes) else content.encode()))
        for path, content in contents.items()
    ]


def zip_of(contents: Mapping[str, str | bytes]) -> bytes:
    """Pack path → content into a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
    return packed.getvalue()


def git(*words: str, at: Path) -> str:
    """Run Git in a repository, untouched by the machine's own settings."""
    identity = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "tests")
    mail = dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "tests@example.org")
    alone = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["git", *words], cwd=at, env={**identity, **mail, **alone}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def make_repository(folder: Path, contents: Mapping[str, str]) -> str:
    """Make a repository with one commit on the branch `main`; return the commit."""
    folder.mkdir(parents=True)
    git("init", "--quiet", "--initial-branch=main", at=folder)
    for path, content in contents.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    git("add", "--all", at=folder)
    git("commit", "--quiet", "--message=First", at=folder)
    git("update-server-info", at=folder)
    return git("rev-parse", "HEAD", at=folder)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the repositories below a folder over http, as files, on a port of loopback; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
