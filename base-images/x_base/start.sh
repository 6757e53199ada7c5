#!/bin/sh
# Starts a desktop: a screen, a window manager, the program, and the page that shows them on $IF_main_port.
#
#   start.sh [program [argument …]]     without one: $DATALAB_COMMAND, else /opt/datalab/start.sh, else a terminal
#
# The program waits for the screen and for the window manager, as a window that appears while that one starts may never
# be shown; the page's server comes up beside them.
set -eu

opened=${SPACELAB_OPEN-}
if [ $# -eq 0 ]; then
    if [ -n "${DATALAB_COMMAND-}" ]; then
        # Its words, quoted as a shell's; the files to open are put in by program.sh, each as an argument of its own.
        eval "SPACELAB_OPEN='\$SPACELAB_OPEN'; set -- $DATALAB_COMMAND"
    elif [ -x /opt/datalab/start.sh ]; then
        set -- /opt/datalab/start.sh
    else
        set -- xterm
    fi
fi

export SPACELAB_OPEN="$opened"

base=/opt/datalab-base
place=$(mktemp -d "${TMPDIR:-/tmp}/desktop.XXXXXX")
mkdir -p -m 1777 /tmp/.X11-unix
mkfifo "$place/display"
export DESKTOP_SOCKET="$place/screen" XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$place}"

# No TCP port and no abstract socket: neither the machine nor another session can reach this screen. Nothing but
# the page's server can open the socket, and the platform lets nobody but the session's owner to that server.
Xtigervnc "${DESKTOP_DISPLAY:-:1}" -displayfd 3 -nolisten tcp -nolisten local -noreset \
    -rfbport -1 -rfbunixpath "$DESKTOP_SOCKET" -rfbunixmode 0600 -SecurityTypes None -AlwaysShared -AcceptSetDesktopSize \
    -geometry "${DESKTOP_SIZE:-1280x800}" -depth 24 -fp built-ins -Log '*:stderr:10' 3>"$place/display" &
export DESKTOP_SCREEN_PID=$!
read -r number <"$place/display"
export DISPLAY=":$number"

sh -c 'until openbox --sm-disable --config-file "$1/openbox/rc.xml" --startup "touch $2/managed"; do sleep 0.5; done' \
    openbox "$base" "$place" &
(
    looks=100
    until [ -e "$place/managed" ] || [ "$looks" -eq 0 ]; do
        sleep 0.02
        looks=$((looks - 1))
    done
    exec "$base/program.sh" "$@"
) &
export DESKTOP_PROGRAM_PID=$!
exec python3 -s -P "$base/desktop" "$@"
