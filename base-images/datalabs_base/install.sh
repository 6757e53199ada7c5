#!/bin/sh
# Makes a plain Debian into the base of all datalabs. Runs once, inside the image that is being built.
set -eu

site=/opt/build/site
# shellcheck source=/dev/null
. /etc/os-release

if [ -s "$site/mirror" ]; then
    mirror=$(cat "$site/mirror")
    rm -f /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources
    cat >/etc/apt/sources.list <<SOURCES
deb $mirror/debian $VERSION_CODENAME main
deb $mirror/debian $VERSION_CODENAME-updates main
deb $mirror/debian-security $VERSION_CODENAME-security main
SOURCES
fi

# Before ca-certificates is installed, apt can only trust what it is shown.
[ -s "$site/ca-bundle.pem" ] && set -- -o "Acquire::https::CAInfo=$site/ca-bundle.pem"
apt-get "$@" update -q
apt-get "$@" upgrade -q -y
apt-get "$@" install -q -y bash ca-certificates python3 python3-pip-whl tini
[ -e /sbin/tini ] || ln -s /usr/bin/tini /sbin/tini

if [ -s "$site/ca-bundle.pem" ]; then
    python3 /opt/build/trust.py "$site/ca-bundle.pem"
    update-ca-certificates
fi

# Packages name this account in `chown user:user` and `USER user`; a session runs as its person all the same.
useradd --create-home --uid 900 --shell /bin/bash user

# Addresses of package registries, where this platform has its own.
if [ -s "$site/pip.conf" ]; then cat "$site/pip.conf" >>/etc/pip.conf; fi
if [ -s "$site/npmrc" ]; then cp "$site/npmrc" /etc/npmrc; fi
if [ -s "$site/uv.toml" ]; then mkdir -p /etc/uv && cp "$site/uv.toml" /etc/uv/uv.toml; fi

# The paths of a datalab; the platform binds what is behind them.
# /media/notebooks isn't among them: many packages make it themselves, by a plain `mkdir`.
mkdir -p /.datalab /data/user /media/user /media/home /media/team_workspaces \
    /opt/datalab/init.d /opt/datalab-base /opt/environments /scratch /home
chmod 1777 /scratch
# Packages such as Java's put links among the manuals and fail where there is no such folder.
mkdir -p /usr/share/man/man1

rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old \
    /var/log/apt /var/log/*.log /usr/share/doc-base /usr/share/locale/*/LC_MESSAGES
find /usr/share/doc -mindepth 2 ! -name copyright -type f -delete
