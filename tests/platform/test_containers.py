"""A whole platform on a container engine: prepared from nothing but Debian, then the main job and what can go wrong."""

from __future__ import annotations

import contextlib
import json
import time

import pytest

from support.client import Client, Kernel
from support.live_runs import demo_client, ended, launch, output, put, texts
from support.platform import Platform
from support.threads import check_thread

pytestmark = [pytest.mark.container, pytest.mark.slow]

LOOK = """
import importlib.util, os, sys
print(os.getuid() != 0, os.path.exists("/job-starter.py"), os.listdir("/sys/class/net"), "HTTP_PROXY" in os.environ)
print(importlib.util.find_spec("numpy") is not None, len(open(sys.argv[1]).readlines()))
for path in ("/media/user/x", "/etc/x", sys.argv[1]):
    try: open(path, "w"); print("wrote", path)
    except OSError: pass
"""
STEP = {
    "class": "CommandLineTool",
    "inputs": {"text": {"type": "File", "inputBinding": {"position": 1}}},
    "outputs": {"out": {"type": "stdout"}},
    "baseCommand": ["python3", "-c", LOOK],
}


def image_step(name: str, *, network: bool) -> dict[str, object]:
    """Describe a step that looks around in the image of a datalab."""
    asks = {
        "DockerRequirement": {"dockerPull": "datalabs/sky-explorer:1.0.0"},
        "NetworkAccess": {"networkAccess": network},
    }
    tool = {**STEP, "requirements": asks, "stdout": f"{name}.txt"}
    return {"in": {"text": "text"}, "out": ["out"], "run": tool}


@pytest.mark.long
def test_the_main_job_holds_in_a_container(container_platform: Platform) -> None:
    done = container_platform.command("demo", "--json", "--runtime", "container", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    report, _, last = done.stdout.rstrip().rpartition("\n")
    found = json.loads(report)
    steps = {step["name"]: step for step in found["steps"]}
    assert steps["try to get out of the container"]["held"]
    assert steps["try to write into the archive"]["outcome"] == "Read-only file system"
    assert last.endswith("the main job works")


def test_a_session_answers_from_a_container(small_container_platform: Platform) -> None:
    client = Client(small_container_platform)
    session = client.launch("sky-explorer")
    try:
        page = client.inside(session, "GET", "/")
        assert page.status_code == 200
        assert "Sky Explorer" in page.text
        other = Client(small_container_platform, "demo-operator")
        assert other.inside(session, "GET", "/").status_code in {401, 403}
    finally:
        client.stop(session)


@pytest.mark.long
def test_a_demo_of_another_runtime_says_that_this_one_is_not_it(container_platform: Platform) -> None:
    done = container_platform.command("demo", "--runtime", "process", timeout=300)
    assert done.returncode == 1
    assert "carried by the runtime “container”" in " ".join(done.stdout.split())


def test_a_thread_runs_in_the_image_of_its_datalab(small_container_platform: Platform) -> None:
    check_thread(small_container_platform)


def answer_of(kernel: Kernel) -> str:
    """Ask a kernel that is being started again, which loses what it is asked meanwhile."""
    for _ in range(8):
        with contextlib.suppress(TimeoutError):
            return kernel.run("print(6 * 7)", timeout=30)
    raise AssertionError("the kernel never answered")


@pytest.mark.long
def test_a_kernel_that_ran_out_of_memory_is_told_while_the_session_goes_on(container_platform: Platform) -> None:
    client = Client(container_platform)
    session = client.launch()
    try:
        kernel = Kernel(client, session)
        assert kernel.run("import os; print(os.getuid() != 0)") == "True\n"
        with kernel.connect() as stream:
            kernel.send(stream, "b = []\nwhile True: b.append(bytearray(2**25))")
            deadline = time.monotonic() + 120
            while (seen := client.wait_for(session, "running"))["trouble"] != "out-of-memory":
                assert time.monotonic() < deadline, seen
                time.sleep(0.5)
        assert "used up the memory" in seen["reason"]
        assert answer_of(kernel) == "42\n"  # JupyterLab has started it again
    finally:
        client.stop(session)


def test_steps_of_a_pipeline_run_in_the_image_that_they_name(small_container_platform: Platform) -> None:
    platform = small_container_platform
    steps = {"alone": image_step("alone", network=False), "open": image_step("open", network=True)}
    outputs = {name: {"type": "File", "outputSource": f"{name}/out"} for name in steps}
    document = {"cwlVersion": "v1.2", "class": "Workflow", "inputs": {"text": "File"}}
    put(platform, "in-images", {"main.cwl": json.dumps({**document, "outputs": outputs, "steps": steps})})
    with demo_client(platform) as client:
        folder = texts(platform, "few", 1)["location"]
        text = {"class": "File", "location": f"{folder}/text-000.txt"}
        run = ended(client, launch(client, "in-images", job={"text": text}))
        assert run["state"] == "succeeded", run
        assert output(client, run, "alone.txt") == "True False ['lo'] False\nTrue 1\n"
        assert output(client, run, "open.txt") == "True False ['lo'] True\nTrue 1\n"
        jobs = client.api("GET", f"/runs/{run['id']}/jobs").json()
        assert {one["image"] for one in jobs} == {"datalabs/sky-explorer:1.0.0"}
