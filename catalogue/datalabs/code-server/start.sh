#!/bin/sh
# VS Code on the workspace. The edge lets only the session's owner through, so it asks for nothing itself.
set -eu
place=$HOME/.local/share/code-server
if [ ! -e "$place/User/settings.json" ]; then
    mkdir -p "$place/User"
    cp /opt/datalab/settings.json "$place/User/settings.json"
fi
exec node /opt/code-server/bin/code-server --auth none --bind-addr "127.0.0.1:${IF_main_port:-10000}" \
    --disable-telemetry --disable-update-check --disable-workspace-trust --disable-getting-started-override \
    --app-name "Spacelab" "${SPACELAB_WORKSPACE:-/media/user}"
