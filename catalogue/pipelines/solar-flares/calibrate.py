"""Averages the flux of a GOES record over the minutes of its day, without gaps and fill values."""

import sys

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

with fits.open(sys.argv[1]) as record:
    seconds = np.asarray(record["FLUXES"].data["TIME"][0], dtype=float)
    flux = np.asarray(record["FLUXES"].data["FLUX"][0][:, 0], dtype=float)
    day = str(record[0].header.get("DATE-OBS", ""))
good = np.isfinite(seconds) & np.isfinite(flux) & (flux > 0) & (seconds >= 0) & (seconds < 86400)
if not good.any():
    sys.exit("The record holds no flux above zero.")
minutes = (seconds[good] // 60).astype(int)
numbers = np.bincount(minutes, minlength=1440)
sums = np.bincount(minutes, weights=flux[good], minlength=1440)
mean = np.divide(sums, numbers, out=np.full(len(sums), np.nan), where=numbers > 0)
table = Table({"minute": np.arange(len(mean)) * u.min, "flux": mean * u.W / u.m**2}, meta={"day": day})
table.write("minutes.ecsv", format="ascii.ecsv")
print(f"{good.sum()} of {len(flux)} samples, {np.isfinite(mean).sum()} minutes")
