#!/bin/sh
# Opens FileZilla on the workspace; it reads no variables, so the way out is written into its settings at each start.
set -eu
settings=$HOME/.config/filezilla/filezilla.xml
mkdir -p "${settings%/*}"
python3 /opt/datalab/settings.py "$settings"
exec filezilla --local="${SPACELAB_WORKSPACE:-/media/user}"
