#!/bin/sh
# The program of the desktop; the longitude is that of Cerro Paranal.
exec python3 /opt/datalab/clock.py -70.4045
