#!/bin/sh
# What a datalab's image runs, as `/sbin/tini -- /.datalab/run.sh`: the author's hooks, then the author's start script
# or else that of the base image, in whose place it ends.

# shellcheck source=src/spacelab/workloads/runtimes/container/inside/init.sh
. /.datalab/init.sh

: "${HOME:=/media/home}" "${DATALAB_ID:=$IF_main_id}"
: "${JUPYTER_CONFIG_DIR:=$HOME/.jupyterlab-$DATALAB_ID}"
export HOME DATALAB_ID JUPYTER_CONFIG_DIR
cd "$HOME" 2>/dev/null || cd / || exit 1
mkdir -p "$JUPYTER_CONFIG_DIR" 2>/dev/null || debug "no folder for settings: $JUPYTER_CONFIG_DIR"

# Applications of the EXPLORE kind. A session has a host name of its own, so the default prefix is nothing.
: "${PATH_PREFIX=}"
: "${SERVICE_INPUT_DIR:=/data}" "${SERVICE_INPUT_DATA:=$SERVICE_INPUT_DIR}"
: "${SERVICE_USER_DATA:=/media/user}"
: "${SERVICE_OUTPUT_DIR:=$SERVICE_USER_DATA}" "${SERVICE_OUTPUT_DATA:=$SERVICE_OUTPUT_DIR}"
: "${SERVICE_APP_DATA:=/opt/datalab}"
: "${SERVICE_USER_APP_DATA:=$HOME/.appdata/${DATALAB_NAME:-datalab}}"
export PATH_PREFIX SERVICE_INPUT_DIR SERVICE_INPUT_DATA SERVICE_OUTPUT_DIR SERVICE_OUTPUT_DATA
export SERVICE_APP_DATA SERVICE_USER_DATA SERVICE_USER_APP_DATA
mkdir -p "$SERVICE_USER_APP_DATA" 2>/dev/null || debug "no folder for the application's data: $SERVICE_USER_APP_DATA"

shell=$(command -v bash || command -v sh)

# run_hook FILE: as a program of its own, in a login shell's environment; its failure is told and stops nothing.
run_hook() {
    [ -f "$1" ] || return 0
    debug "hook $1"
    # shellcheck disable=SC2016 # the inner shell expands it
    if [ -x "$1" ]; then "$shell" -lc '"$0"' "$1"; else "$shell" -l "$1"; fi
    status=$?
    [ "$status" = 0 ] || _datalab_say "the hook $1 failed with status $status; the start goes on without it"
}

# A parent that is gone at once hands the waiting process to tini, which collects it.
(wait_interface &)

# Older start-ups give every datalab a display without a screen; an image with a desktop makes its own.
if [ -z "${DISPLAY-}" ] && [ ! -e /opt/datalab-base/desktop ] && command -v Xvfb >/dev/null 2>&1; then
    (Xvfb :1 >/dev/null 2>&1 &)
    export DISPLAY=:1
fi

for hook in /opt/datalab/init.d/*.sh; do
    case ${hook##*/} in
    user-*) run_hook "$hook" ;;
    \*.sh) ;;
    *) _datalab_say "not run: $hook (the name of a hook begins with user-)" ;;
    esac
done
for hook in /opt/datalabs/init.d/*.sh; do run_hook "$hook"; done

# A command that the package's metadata names comes before every script; a desktop's own start knows it, too.
if [ -n "${DATALAB_COMMAND-}" ] && [ ! -e /opt/datalab-base/desktop ]; then
    debug "start $DATALAB_COMMAND"
    exec "$shell" -c "$DATALAB_COMMAND"
fi

# In a desktop the author's script is the program on the screen, so the base image's start comes first and runs it.
set -- /opt/datalab/start.sh /opt/datalab-base/start.sh
[ ! -e /opt/datalab-base/desktop ] || set -- /opt/datalab-base/start.sh
start=""
for candidate; do
    if [ -f "$candidate" ]; then start=$candidate && break; fi
done
if [ -z "$start" ]; then
    _datalab_say "nothing to start: this image has neither /opt/datalab/start.sh nor a base image's own start"
    _datalab_say "add a start.sh that serves on port \$IF_main_port, or build on jl_base, x_base or web_base"
    exit 78
fi
debug "start $start"

# Images of the older kind keep in ENVIRONMENT what is to be written before the command: assignments, or commands.
case ${ENVIRONMENT-} in
*=* | *' '*)
    case $ENVIRONMENT in
    '. '* | 'source '* | *';'*) prefix="$ENVIRONMENT;" ;;
    *) prefix="export $ENVIRONMENT;" ;;
    esac
    # shellcheck disable=SC2016 # the inner shell expands it
    if [ -x "$start" ]; then exec "$shell" -c "$prefix"' exec "$0"' "$start"; fi
    # shellcheck disable=SC2016 # as above
    exec "$shell" -c "$prefix"' exec "$1" "$0"' "$start" "$shell"
    ;;
esac
if [ -x "$start" ]; then exec "$start"; fi
exec "$shell" "$start"
