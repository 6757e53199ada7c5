#!/bin/sh
# Runs the desktop's program. `$SPACELAB_OPEN` names the files to open, one a line; such an argument becomes as many
# arguments as there are files, and those that aren't mounted in this session are left out.
set -u
: "${HTTP_PROXY=}"

count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    count=$((count - 1))
    if [ "$argument" = '$SPACELAB_OPEN' ] || [ "$argument" = "${SPACELAB_OPEN-}" ] || [ -z "$argument" ]; then
        set -f
        IFS='
'
        for file in ${SPACELAB_OPEN-}; do
            if [ -e "$file" ]; then set -- "$@" "$file"; else echo "Not there in this session, so not opened: $file" >&2; fi
        done
        unset IFS
        set +f
    else
        set -- "$@" "$argument"
    fi
done

# Java reads neither $HOME nor a proxy's variable, and by itself would use a quarter of the memory it believes in.
if [ -z "${JAVA_TOOL_OPTIONS-}" ]; then
    JAVA_TOOL_OPTIONS="-Duser.home=$HOME${MEM_LIMIT:+ -XX:MaxRAM=$MEM_LIMIT -XX:MaxRAMPercentage=65}"
    JAVA_TOOL_OPTIONS="$JAVA_TOOL_OPTIONS${OMP_NUM_THREADS:+ -XX:ActiveProcessorCount=$OMP_NUM_THREADS}"
    proxy=${HTTP_PROXY#http://}
    proxy=${proxy%/}
    if [ -n "$proxy" ]; then
        for protocol in http https; do
            JAVA_TOOL_OPTIONS="$JAVA_TOOL_OPTIONS -D$protocol.proxyHost=${proxy%:*} -D$protocol.proxyPort=${proxy##*:}"
        done
    fi
    export JAVA_TOOL_OPTIONS
fi

# File dialogs begin in the working folder: the workspace, unless the datalab names another.
cd "${DESKTOP_FOLDER:-${SPACELAB_WORKSPACE:-/media/user}}" 2>/dev/null || cd "$HOME" || cd /
exec "$@"
