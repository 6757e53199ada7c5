"""Recognises web applications by what their scripts import, and says how each is started behind the proxy."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from datalab_package.budgets import LONGEST_PARSED, Budget
from datalab_package.imports import imported_modules, python_code
from datalab_package.notebooks import Code

PORT = "$IF_main_port"
HERE = "127.0.0.1"
FOLDER = "$SPACELAB_PACKAGE"
OWN_PYTHON = "$SPACELAB_ENVIRONMENT/bin/python"
"""The environment's own Python, for what looks beside it for templates and scripts; `python` is the person's."""
_FORMS = re.compile(r"\bUploadFile\b|\b(?:Form|File)\(|\.form\(")


@dataclass(frozen=True)
class WebProgram:
    """A script that is a web application: its framework, how it is started, what that needs, where it answers."""

    framework: str
    file: str
    line: int
    command: tuple[str, ...]
    needs: tuple[str, ...]
    health_path: str = "/"


def find_web_programs(folder: Path, wanted: Collection[str] = ()) -> list[WebProgram]:
    """Return the web applications in the root of a package or in the one folder that holds its scripts.

    `wanted` are the normalised names in its requirements: they tell a notebook shown by Voilà or Panel.
    """
    budget = Budget()
    codes = list(python_code(folder, budget))
    scripts = [code for code in codes if not code.cell and code.file.count("/") <= 1]
    found = [program for code in scripts if not budget.over and (program := _of_script(code))]
    if not found:
        notebooks = sorted({code.file for code in codes if code.cell and "/" not in code.file})
        if notebooks and "voila" in wanted:
            found = [_voila(name) for name in notebooks[:2]]
        elif notebooks and "panel" in wanted and any(".servable(" in code.text for code in codes if code.cell):
            found = [
                _panel(name, 0)
                for name in notebooks
                if any(".servable(" in code.text for code in codes if code.file == name)
            ]
    return found


def main_of(programs: list[WebProgram]) -> WebProgram | None:
    """Return the application among several that is plainly the one to start, or None."""
    if len(programs) == 1:
        return programs[0]
    for name in ("app.py", "main.py", "streamlit_app.py", "Home.py"):
        named = [program for program in programs if program.file == name]
        if named:
            return named[0]
    return None


def _of_script(code: Code) -> WebProgram | None:
    """Recognise one script. A page of a larger Streamlit application (in `pages/`) is none."""
    if code.file.startswith(("pages/", "tests/", "docs/")):
        return None
    modules = {module.partition(".")[0]: line for module, line in reversed(imported_modules(code.text))}
    for framework, make in _FRAMEWORKS.items():
        if framework in modules and (program := make(code, modules[framework])):
            return program
    return None


def _streamlit(code: Code, line: int) -> WebProgram:
    # The platform's edge refuses foreign origins; Streamlit's own check knows no host but the one it runs on.
    options = (
        f"--server.address={HERE}",
        f"--server.port={PORT}",
        "--server.headless=true",
        "--server.fileWatcherType=none",
    )
    checks = ("--server.enableCORS=false", "--server.enableXsrfProtection=false", "--browser.gatherUsageStats=false")
    command = ("python", "-m", "streamlit", "run", f"{FOLDER}/{code.file}", *options, *checks)
    return WebProgram("Streamlit", code.file, line, command, ("streamlit",), "/_stcore/health")


def _panel(file: str, line: int) -> WebProgram:
    options = (f"--address={HERE}", f"--port={PORT}", "--allow-websocket-origin=*")
    needs = ("panel", "nbconvert") if file.endswith(".ipynb") else ("panel",)
    return WebProgram("Panel", file, line, ("python", "-m", "panel", "serve", f"{FOLDER}/{file}", *options), needs)


def _panel_script(code: Code, line: int) -> WebProgram | None:
    return _panel(code.file, line) if ".servable(" in code.text or "template" in code.text.lower() else None


def _bokeh(code: Code, line: int) -> WebProgram | None:
    if "curdoc(" not in code.text:
        return None
    options = (f"--address={HERE}", f"--port={PORT}", "--allow-websocket-origin=*")
    command = ("python", "-m", "bokeh", "serve", f"{FOLDER}/{code.file}", *options)
    return WebProgram("Bokeh", code.file, line, command, ("bokeh",))


def _voila(file: str) -> WebProgram:
    needs = ("voila", "ipykernel")  # Voilà runs a notebook by the kernel that it finds, and brings none
    options = ("--no-browser", f"--Voila.ip={HERE}", f"--port={PORT}", "--Voila.base_url=/")
    start = (OWN_PYTHON, "-m", "voila")
    # Each request for the page runs the notebook, so readiness is asked of a file.
    return WebProgram("Voilà", file, 0, (*start, f"{FOLDER}/{file}", *options), needs, "/voila/static/voila.js")


def _marimo(code: Code, line: int) -> WebProgram | None:
    if not _assigned(code.text, "App"):
        return None
    options = ("--host", HERE, "--port", PORT, "--headless", "--no-token")
    command = ("python", "-m", "marimo", "run", f"{FOLDER}/{code.file}", *options)
    return WebProgram("marimo", code.file, line, command, ("marimo",), "/health")


def _gradio(code: Code, line: int) -> WebProgram | None:
    if ".launch(" not in code.text:
        return None
    variables = (f"GRADIO_SERVER_NAME={HERE}", f"GRADIO_SERVER_PORT={PORT}", "GRADIO_ANALYTICS_ENABLED=False")
    # Its own folders for what it keeps are in the package's, which is read-only.
    kept = ("GRADIO_EXAMPLES_CACHE=/tmp/gradio/examples", "GRADIO_FLAGGING_MODE=never", "PYTHONUNBUFFERED=1")
    command = ("env", *variables, *kept, "python", f"{FOLDER}/{code.file}")
    return WebProgram("Gradio", code.file, line, command, ("gradio",))


def _solara(code: Code, line: int) -> WebProgram:
    start = ("env", "SOLARA_TELEMETRY_MIXPANEL_ENABLE=False", OWN_PYTHON, "-m", "solara", "run")
    command = (*start, f"{FOLDER}/{code.file}", f"--host={HERE}", f"--port={PORT}", "--production", "--no-open")
    # Without its assets Solara fetches its scripts from elsewhere, which not every session may.
    return WebProgram("Solara", code.file, line, command, ("solara[assets]",))


def _shiny(code: Code, line: int) -> WebProgram | None:
    command = ("python", "-m", "shiny", "run", f"--host={HERE}", f"--port={PORT}", f"{FOLDER}/{code.file}")
    return WebProgram("Shiny", code.file, line, command, ("shiny",))


def _wsgi(framework: str, code: Code, line: int, target: str, *, factory: bool = False) -> WebProgram:
    start = ("env", f"PYTHONPATH={_place(code)}", "python", "-m", "waitress", f"--listen={HERE}:{PORT}")
    call = ("--call",) if factory else ()
    command = (*start, "--threads=8", *call, f"{_module(code)}:{target}")
    return WebProgram(framework, code.file, line, command, (framework.lower(), "waitress"))


def _dash(code: Code, line: int) -> WebProgram | None:
    name = _assigned(code.text, "Dash")
    return _wsgi("Dash", code, line, f"{name}.server") if name else None


def _flask(code: Code, line: int) -> WebProgram | None:
    if name := _assigned(code.text, "Flask"):
        return _wsgi("Flask", code, line, name)
    return _wsgi("Flask", code, line, "create_app", factory=True) if "def create_app(" in code.text else None


def _asgi(framework: str, code: Code, line: int, kind: str) -> WebProgram | None:
    name = _assigned(code.text, kind)
    if not name:
        return None
    start = ("python", "-m", "uvicorn", f"{_module(code)}:{name}", "--app-dir", _place(code))
    command = (*start, "--host", HERE, "--port", PORT, "--proxy-headers")
    # Without it uvicorn turns every WebSocket away. Forms are read by another package that neither brings.
    forms = ("python-multipart",) if _FORMS.search(code.text) else ()
    return WebProgram(framework, code.file, line, command, (framework.lower(), "uvicorn", "websockets", *forms))


def _place(code: Code) -> str:
    folder = code.file.rpartition("/")[0]
    return f"{FOLDER}/{folder}" if folder else FOLDER


def _module(code: Code) -> str:
    return Path(code.file).stem


def _assigned(text: str, kind: str) -> str:
    """Return the module's variable that holds an instance of a class, named plainly or with its module."""
    try:
        tree = ast.parse(text[:LONGEST_PARSED])
    except (SyntaxError, ValueError, RecursionError):
        return ""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        if isinstance(value, ast.Call) and targets and isinstance(targets[0], ast.Name):
            called = value.func
            if kind == (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")):
                return targets[0].id
    return ""


_FRAMEWORKS = {
    "streamlit": _streamlit,
    "marimo": _marimo,
    "gradio": _gradio,
    "solara": _solara,
    "shiny": _shiny,
    "dash": _dash,
    "panel": _panel_script,
    "bokeh": _bokeh,
    "fastapi": lambda code, line: _asgi("FastAPI", code, line, "FastAPI"),
    "starlette": lambda code, line: _asgi("Starlette", code, line, "Starlette"),
    "flask": _flask,
}
"""Which import means which framework; the first that fits counts."""
