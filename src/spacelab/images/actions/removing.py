"""Removing an image of the engine, or the papers of something that is gone: for whoever knows that nobody needs it."""

from __future__ import annotations

from spacelab.audit import actions as audit
from spacelab.images import queries, shelf


def remove_image(*, by: audit.Actor, name: str, image_id: str) -> bool:  # noqa: ARG001  the caller writes the trail
    """Take a name away from an image, if it is this very image's, and with the last name the image and its papers.

    Returns whether the name is gone. Raises `Unavailable` where the engine refuses, e.g. while a container uses it.
    """
    store = queries.image_store()
    found = store.find(name)
    if found is None or found.id != image_id:
        return False
    store.remove(name)
    if store.find(image_id) is None:
        shelf.remove(shelf.image_key(image_id))
    return store.find(name) is None


def remove_papers(*, by: audit.Actor, key: str) -> None:  # noqa: ARG001  as above
    """Remove what is kept about an image or environment that is gone."""
    shelf.remove(key)
