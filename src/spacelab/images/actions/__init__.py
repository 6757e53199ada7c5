"""Every write of images: carrying them from platform to platform, and keeping what is known about them."""

from spacelab.images.actions.moving import (
    Taken,
    export_image,
    import_image,
    look_up_again,
    pull_image,
    push_image,
    update_vulnerabilities,
)
from spacelab.images.actions.removing import remove_image, remove_papers
from spacelab.images.actions.scanning import describe_environment, describe_image, look_up, record_provenance

__all__ = [
    "Taken",
    "describe_environment",
    "describe_image",
    "export_image",
    "import_image",
    "look_up",
    "look_up_again",
    "pull_image",
    "push_image",
    "record_provenance",
    "remove_image",
    "remove_papers",
    "update_vulnerabilities",
]
