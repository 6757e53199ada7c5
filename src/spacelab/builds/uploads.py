"""How much one request may upload: what is more is refused while it comes in, and nothing of it is kept."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class SizeLimit(FileUploadHandler):
    """Counts the bytes of all files of a request, and ends it beyond the setting `build_upload_mb`."""

    chunk_size = 256 * 1024

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:  # noqa: ARG002  Django's signature
        self._received += len(raw_data)
        if self._received > settings.SPACELAB.build_upload_mb * 2**20:
            raise RequestDataTooBig(f"An upload may have up to {settings.SPACELAB.build_upload_mb} MiB.")
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers after this one."""
