#!/bin/sh
# Opens GCX with these images, as copies that it can read where it can't read them.
set -eu
if [ $# -gt 0 ]; then
    folder=${SPACELAB_WORKSPACE:-/media/user}/gcx
    frames=$(python3 /opt/datalab/frames.py "$folder" "$@")
    set -f
    IFS='
'
    # shellcheck disable=SC2086 # one argument a line
    set -- $frames
    unset IFS
fi
exec gcx "$@"
