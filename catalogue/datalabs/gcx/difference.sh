#!/bin/sh
# Subtracts the first image from the second by GCX: difference.sh EARLIER LATER DIFFERENCE PICTURE
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
# Folders of their own: two volumes may hold files of one name.
earlier=$(python3 /opt/datalab/frames.py "$place/earlier" "$1")
later=$(python3 /opt/datalab/frames.py "$place/later" "$2")
(cd "$place" && HOME=$place with-screen gcx --bias "$earlier" --output difference.fits "$later")
python3 /opt/datalab/frames.py --finish "$place/difference.fits" "$3" "$4"
