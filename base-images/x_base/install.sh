#!/bin/sh
# Installs the screen and what belongs to it. Runs once, inside the image that is being built.
set -eu
apt-get update -q
sed 's/#.*//' /opt/build/packages.txt | xargs apt-get install -q -y
fc-cache -f
mkdir -p /usr/share/themes/Spacelab
ln -s /opt/datalab-base/openbox/theme /usr/share/themes/Spacelab/openbox-3
printf '%s\n' '*faceName: DejaVu Sans Mono' '*faceSize: 11' '*geometry: 100x32' >>/etc/X11/app-defaults/XTerm
rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/*.log /var/cache/debconf/*-old /var/lib/dpkg/*-old
