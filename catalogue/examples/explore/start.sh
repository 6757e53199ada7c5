#!/bin/sh
exec python3 "$SERVICE_APP_DATA/count.py"
