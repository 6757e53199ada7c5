"""Writes all flares, the strongest first, and draws the day with them."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from astropy.table import Table

table = Table.read(sys.argv[1], format="ascii.ecsv")
flares = [json.loads(Path(name).read_text("utf-8")) for name in sys.argv[2:]]
flares.sort(key=lambda one: -one["peak_flux"]["value"])
Path("flares.json").write_text(json.dumps({"day": table.meta.get("day", ""), "flares": flares}, indent=1), "utf-8")
figure, axes = plt.subplots(figsize=(9, 4))
axes.semilogy(np.asarray(table["minute"]) / 60, np.asarray(table["flux"]), lw=0.8)
for flare in flares:
    hours, minutes = flare["peak"].split(":")
    axes.axvline(int(hours) + int(minutes) / 60, color="tab:red", lw=0.7)
    axes.text(int(hours) + int(minutes) / 60, flare["peak_flux"]["value"] * 1.2, flare["class"], color="tab:red")
axes.set(xlabel="hours (UT)", ylabel="1-8 Å / (W m$^{-2}$)", title=f"{len(flares)} flares, {table.meta.get('day', '')}")
figure.tight_layout()
figure.savefig("flares.png", dpi=120)
