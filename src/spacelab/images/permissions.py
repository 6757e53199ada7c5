"""What a role may allow with images: whoever manages everybody's builds manages what came of them."""

from enum import StrEnum


class ImagePermission(StrEnum):
    """Permissions on images and environments; the one there is, is the builds' own."""

    MANAGE_ANY = "builds.manage-any"
