"""The workload that fetches a repository, on whatever runtime is at work."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from spacelab.images.queries import found_base
from spacelab.repositories.rules import Fetch
from spacelab.volumes.rules import Mount
from spacelab.workloads.queries import capabilities, seen_at
from spacelab.workloads.rules import Kind, Network, Resources, WorkloadSpec

INSIDE = Path(__file__).resolve().parent / "inside"
"""The program that runs in the workload."""
TOOLS, WORK = "/opt/fetch", "/build"
"""Where the workload sees its program, and the folder that it fills."""
BASE = "datalabs_base"
"""The image that has Git, where there are images: the smallest one."""
SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def trusted() -> dict[str, str]:
    """Return the variables that show Git and others the certificates of this host; empty where it has none."""
    bundle = next((one for one in SYSTEM_BUNDLES if Path(one).exists()), "")
    return {"SSL_CERT_FILE": bundle, "GIT_SSL_CAINFO": bundle} if bundle else {}


def fetch_spec(fetch: Fetch) -> WorkloadSpec:
    """Return the sandboxed workload that runs Git; raises `Unavailable` where its image is not on this machine.

    It reaches what the platform's rule on outbound requests allows, and has none of the person's volumes.
    """
    made = fetch.source.parent
    made.mkdir(parents=True, exist_ok=True)
    mounts = (Mount(str(INSIDE), TOOLS), Mount(str(made), WORK, read_only=False))
    images, platform = capabilities().images, settings.SPACELAB
    seen = {TOOLS: TOOLS, WORK: WORK} if images else seen_at(mounts)
    # An empty NO_PROXY: every request goes by the way out, which decides about it.
    variables = {"GIT_URL": fetch.url, "GIT_REF": fetch.ref, "NO_PROXY": "", "no_proxy": ""}
    return WorkloadSpec(
        id=fetch.workload_id,
        owner=fetch.owner,
        kind=Kind.BATCH,
        command=("/bin/sh", f"{seen[TOOLS]}/fetch.sh", f"{seen[WORK]}/source"),
        image=found_base(BASE)[0] if images else "",
        variables=variables if images else variables | trusted(),
        mounts=mounts,
        resources=Resources(cpu=platform.build_cpu, memory_mb=platform.build_memory_mb, scratch_mb=fetch.disk_mb),
        network=Network.OUTBOUND,
        deadline_seconds=fetch.minutes * 60,
    )
