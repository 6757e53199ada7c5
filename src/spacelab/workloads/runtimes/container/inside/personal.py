"""Makes a person's own environment over that of the image, by the image's Python; prints where it is."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from spacelab.workloads.runtimes.shared.inside.overlay import make
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  as `overlay`, without pathlib
    from overlay import make


def main() -> int:
    """Make the overlay over the environment `argv[1]` at `argv[2]`-py<version>; return the exit status."""
    environment, place = sys.argv[1:]
    version = ".".join(str(part) for part in sys.version_info[:3])
    overlay = f"{place}-py{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        make(overlay, environment, os.path.realpath(sys.executable), version)
    except OSError as error:
        sys.stderr.write(f"spacelab: {overlay}: {error.strerror}\n")
        return 1
    sys.stdout.write(overlay)
    return 0


if __name__ == "__main__":
    sys.exit(main())
