"""Put the certificates of a bundle that Debian does not know yet where update-ca-certificates looks for them."""

import re
import sys
from pathlib import Path

PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
KNOWN = Path("/etc/ssl/certs/ca-certificates.crt")
OURS = Path("/usr/local/share/ca-certificates")


def certificates(file: Path) -> list[str]:
    """Return the certificates in a PEM file as base64 without white space, each once."""
    found = PEM.findall(file.read_text(encoding="utf-8", errors="replace"))
    return list(dict.fromkeys("".join(body.split()) for body in found))


known = set(certificates(KNOWN))
for number, body in enumerate(item for item in certificates(Path(sys.argv[1])) if item not in known):
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    text = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    (OURS / f"site-{number}.crt").write_text(text, encoding="utf-8")
