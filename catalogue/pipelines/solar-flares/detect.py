"""Finds flares as NOAA counts them: four minutes of rise by 1.4 in all, until the flux is half way back."""

import json
import sys

import numpy as np
from astropy.table import Table

RISE, LENGTH = 1.4, 4
table = Table.read(sys.argv[1], format="ascii.ecsv")
weakest = float(sys.argv[2])
flux = np.interp(np.arange(len(table)), np.flatnonzero(np.isfinite(table["flux"])), table["flux"][np.isfinite(table["flux"])])
found, minute = [], 0
while minute + LENGTH < len(flux):
    part = flux[minute : minute + LENGTH]
    if not (np.diff(part) > 0).all() or part[-1] < RISE * part[0]:
        minute += 1
        continue
    before, peak = flux[minute], minute + LENGTH - 1
    end = peak
    while end + 1 < len(flux):
        end += 1
        if flux[end] > flux[peak]:
            peak = end
        elif flux[end] <= (flux[peak] + before) / 2:
            break
    if flux[peak] >= weakest:
        found.append({"begin": minute, "peak": int(peak), "end": int(end)})
    minute = end + 1
for number, event in enumerate(found, 1):
    with open(f"flare-{number:02}.json", "w", encoding="utf-8") as file:
        json.dump(event, file)
print(f"{len(found)} flares")
