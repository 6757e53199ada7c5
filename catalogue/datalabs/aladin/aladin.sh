#!/bin/sh
# Opens Aladin with these files. Debian's own script asks for 1 GB of memory whatever the session has; and without a
# way out, Aladin has to be told, or it gives up.
set -eu
[ -n "${HTTP_PROXY-}" ] || set -- -local "$@"
exec java -jar /usr/share/java/aladin.jar -noreleasetest -nolog "$@"
