"""Show the local mean sidereal time in a window; the longitude, in degrees east, is the only argument."""

import sys
import time
import tkinter


def sidereal(seconds: float, longitude: float) -> float:
    """Return the local mean sidereal time in hours, for Unix time and degrees east (Meeus, chapter 12, first terms)."""
    days = seconds / 86400 + 2440587.5 - 2451545.0
    return (280.46061837 + 360.98564736629 * days + longitude) % 360 / 15


def main() -> None:
    longitude = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    window = tkinter.Tk()
    window.title("Sidereal clock")
    face = tkinter.Label(window, font=("monospace", 48), padx=40, pady=30)
    face.pack(expand=True, fill="both")

    def tick() -> None:
        total = int(sidereal(time.time(), longitude) * 3600)
        face["text"] = f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}"
        window.after(250, tick)

    tick()
    window.mainloop()


main()
