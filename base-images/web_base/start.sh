#!/bin/sh
# The default start of web_base: the package's own pages.
set -eu
port=${IF_main_port:-10000}
if [ -f /opt/datalab/index.html ]; then
    exec python3 -m http.server "$port" --bind 127.0.0.1 --directory /opt/datalab
fi
echo "This web datalab has no start.sh, no command and no index.html, so there is nothing to serve."
exit 78
