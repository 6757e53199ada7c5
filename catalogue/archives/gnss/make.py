"""One minute of a GNSS receiver: RINEX files under their long names, with a line on their origin in the header."""

import sys
from pathlib import Path

packages, product = Path(sys.argv[1]), Path(sys.argv[2])
NOTE = f"{'From cssrlib 1.2.1 (MIT), recorded by R. Hirokawa':<60}COMMENT\n"
NAMES = {"SEPT078M1.21O": "SEPT00JPN_R_20210781200_01M_01S_MO.rnx", "SEPT078M.21P": "SEPT00JPN_R_20210781200_01H_MN.rnx"}
for old, new in NAMES.items():
    text = (packages / "cssrlib" / "data" / old).read_text()
    first, rest = text.split("\n", 1)
    (product / new).write_text(f"{first}\n{NOTE}{rest}")
