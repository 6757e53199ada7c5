"""Builds images where the runtime carries them: a context from the plan, a workload that the engine builds."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote

from django.conf import settings

import datalab_package
from datalab_package import Plan, PlannedStep
from spacelab import __version__
from spacelab.builds import rules
from spacelab.builds.ports import Order, Result
from spacelab.images import queries
from spacelab.images.rules.provenance import image_labels
from spacelab.kit.refusals import Unavailable
from spacelab.workloads.rules import ImageBuild, Kind, Network, Resources, WorkloadSpec

DERIVED = "DERIVED_FROM"
"""The build argument of a plan that builds on another version's image."""
PACKAGE_LABEL, BASE_LABEL, PLAN_LABEL = "org.spacelab.package", "org.spacelab.base", "org.spacelab.plan"


class ImageBuilder:
    """Makes images (see `ports.Builder`)."""

    def provided(self, kind: str) -> None:
        """Leave it to the package library, which knows the base images."""

    def steps(self, plan: Plan) -> tuple[PlannedStep, ...]:
        """Return the steps of the Dockerfile."""
        return plan.steps

    def check(self, order: Order) -> None:
        """Refuse what starts from an image that the engine does not have."""
        _base_of(order)

    def pins(self, environment: str, kind: str) -> list[str]:  # noqa: ARG002  the port's signature
        """Return nothing: what is derived from an image builds on it."""
        return []

    def ready_made(self, order: Order) -> Result | None:
        """Return the image if it has that very name, package and base: so have only those built without a number."""
        found = queries.image_store().find(tag_of(order))
        base = _base_of(order)[1]
        wanted = {PACKAGE_LABEL: order.package_hash, BASE_LABEL: base, PLAN_LABEL: _plan_hash(order.plan)}
        same = found and {name: found.labels.get(name, "") for name in wanted} == wanted
        return self.finish(order) if same else None

    def spec(self, order: Order) -> WorkloadSpec:
        """Return the workload that builds the image from the plan's Dockerfile."""
        context = order.work / "context"
        datalab_package.write_context(order.package, order.plan, context)
        plan, registry = order.plan, settings.SPACELAB.image_registry
        digest = _base_of(order)[1]
        told = image_labels(
            order.manifest, order.package_hash, digest, __version__, order.git_url, revision=order.git_commit
        )
        return WorkloadSpec(
            id=order.workload_id,
            owner=order.owner,
            kind=Kind.BATCH,
            command=(),
            resources=_resources(),
            network=Network.OUTBOUND,
            deadline_seconds=settings.SPACELAB.build_minutes * 60,
            build=ImageBuild(
                context=str(context),
                tag=tag_of(order),
                arguments=_arguments(order, registry),
                labels={**plan.labels, **told, PLAN_LABEL: _plan_hash(plan)},
            ),
        )

    def finish(self, order: Order) -> Result:
        """Find the image that was made."""
        tag = tag_of(order)
        found = queries.image_store().find(tag)
        if found is None:
            raise Unavailable(
                f"The build ended well, and the engine has no image {tag}.",
                advice="Build it again, or tell an operator.",
            )
        interface = dict(order.plan.interface)
        if order.plan.kind == "jupyter" and order.plan.notebooks and not order.manifest.interface.get("path"):
            interface["path"] = f"/datalabs/{{id}}/lab/tree/media/notebooks/{quote(order.plan.notebooks[0])}"
        return Result(
            image=tag,
            image_id=found.id,
            base=_base_of(order)[0],
            size_bytes=found.size,
            interface=interface,
            variables=dict(order.manifest.variables),
            activity_probe=order.plan.activity_probe,
        )


def tag_of(order: Order) -> str:
    """Name the image, in the platform's registry."""
    name = rules.image_name(order.owner, order.slug, order.version, order.number)
    return f"{settings.SPACELAB.image_registry}/{name}"


def _arguments(order: Order, registry: str) -> dict[str, str]:
    if order.plan.builds_on:
        return {DERIVED: order.origin_image}
    return order.plan.build_arguments(registry, queries.base_versions())


def _base_of(order: Order) -> tuple[str, str]:
    """Return the name and id of the image that is built upon; empty where the package's Dockerfile names its own."""
    if order.plan.builds_on:
        found = queries.image_store().find(order.origin_image) if order.origin_image else None
        if found is None:
            raise Unavailable(
                f"The image of {order.plan.builds_on}, on which the package builds, is not on this machine.",
                advice="Ask an operator to have it built again, or take `base` out of spacelab.yml.",
            )
        return order.origin_image, found.id
    return queries.found_base(order.plan.base) if order.plan.base in queries.base_versions() else ("", "")


def _plan_hash(plan: Plan) -> str:
    """Tell plans of one package apart: by the platform's version that made them, or by what a person answered."""
    return sha256("\0".join((plan.dockerfile, *plan.requirements)).encode()).hexdigest()[:16]


def _resources() -> Resources:
    platform = settings.SPACELAB
    return Resources(cpu=platform.build_cpu, memory_mb=platform.build_memory_mb, scratch_mb=platform.build_disk_mb)
