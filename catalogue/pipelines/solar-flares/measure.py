"""Gives one flare its class, the times of begin, peak and end, its peak flux and its fluence."""

import json
import sys
from pathlib import Path

import numpy as np
from astropy.table import Table

table = Table.read(sys.argv[1], format="ascii.ecsv")
event = json.loads(Path(sys.argv[2]).read_text("utf-8"))
flux = np.asarray(table["flux"], dtype=float)
peak = flux[event["peak"]]
letter, unit = next((one for one in zip("XMCB", (1e-4, 1e-5, 1e-6, 1e-7)) if peak >= one[1]), ("A", 1e-8))
measured = {
    "class": f"{letter}{np.floor(peak / unit * 10) / 10:.1f}",
    **{name: f"{event[name] // 60:02}:{event[name] % 60:02}" for name in ("begin", "peak", "end")},
    "peak_flux": {"value": float(peak), "unit": "W / m2"},
    "fluence": {"value": float(np.nansum(flux[event["begin"] : event["end"] + 1]) * 60), "unit": "J / m2"},
}
Path(f"measured-{Path(sys.argv[2]).stem}.json").write_text(json.dumps(measured, indent=1), "utf-8")
print(measured["class"], measured["peak"])
