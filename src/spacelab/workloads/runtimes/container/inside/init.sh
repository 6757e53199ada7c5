# The shell library that start scripts of datalabs read by `. /.datalab/init.sh`: what a script may tell the platform,
# and how it waits for its own interface. POSIX sh, so that bash, dash and busybox all can read it.
# The platform never takes a script's word for a state: it looks at the interface and at how the program ends.
# So these functions write to the log, where the person and the developer read them.
# shellcheck shell=sh

: "${IF_main_port:=10000}" "${IF_main_id:=${DATALAB_ID:-main}}"
export IF_main_port IF_main_id

_datalab_mark=${TMPDIR:-/tmp}/.datalab-${DATALAB_ID:-main}
_datalab_wait=${DATALAB_WAIT_SECONDS:-600}

_datalab_say() { printf '[datalab] %s\n' "$*"; }

# debug MESSAGE…: write to the log if the datalab was launched with LOG_LEVEL=debug.
debug() {
    case ${LOG_LEVEL-} in
    [Dd][Ee][Bb][Uu][Gg]) _datalab_say "$*" ;;
    esac
}

# Ask the interface at the path $1 by what the image has; succeed when anything answers in HTTP. What is asked is
# which requests it takes: to fetch a page could set an application to work.
_datalab_answers() {
    if command -v python3 >/dev/null 2>&1; then
        python3 -I -S -c '
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2) as link:
    link.settimeout(5)
    link.sendall(b"OPTIONS %s HTTP/1.0\r\nHost: localhost\r\n\r\n" % sys.argv[2].encode())
    sys.exit(link.recv(5) != b"HTTP/")' "$IF_main_port" "$1"
    elif command -v curl >/dev/null 2>&1; then
        curl -s -o /dev/null -X OPTIONS --noproxy '*' --max-time 5 "http://127.0.0.1:$IF_main_port$1"
    elif command -v bash >/dev/null 2>&1; then
        # shellcheck disable=SC2016 # the inner bash expands it
        bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "OPTIONS %s HTTP/1.0\r\n\r\n" "$2" >&3 && read -r -t 5 -n 5 line <&3 &&
            [ "$line" = HTTP/ ]' bash "$IF_main_port" "$1"
    else
        # The interface's name in /proc is its port in hexadecimal, in state "listening".
        grep -qs ":$(printf %04X "$IF_main_port") .* 0A " /proc/net/tcp /proc/net/tcp6
    fi >/dev/null 2>&1
}

# wait_interface: return once the interface answers, and say so; fail if the program ends or time runs out before.
wait_interface() {
    _datalab_waited=0
    until _datalab_answers "${PATH_PREFIX:-/datalabs/$IF_main_id}/"; do
        if [ -e "$_datalab_mark.finished" ] || [ -e "$_datalab_mark.error" ]; then return 1; fi
        if [ "$_datalab_waited" -ge "$_datalab_wait" ]; then
            _datalab_say "nothing answers on port $IF_main_port after $_datalab_wait s; the start script must serve there"
            return 1
        fi
        sleep 1
        _datalab_waited=$((_datalab_waited + 1))
    done
    : >"$_datalab_mark.running"
    _datalab_say "the interface answers on port $IF_main_port"
}

# api_emit_running: a script's word that it runs. The platform shows "running" when the interface answers, not before.
api_emit_running() { debug "the start script says that it runs"; }

# api_emit_finished, api_emit_error: how the program ended.
api_emit_finished() {
    : >"$_datalab_mark.finished"
    _datalab_say "finished"
}
api_emit_error() {
    : >"$_datalab_mark.error"
    _datalab_say "ended with an error"
}

# api_emit_if_done: the last line of a start script; its status is the script's, by which the platform tells an end
# from a failure.
api_emit_if_done() { [ ! -e "$_datalab_mark.error" ]; }

rm -f "$_datalab_mark.running" "$_datalab_mark.finished" "$_datalab_mark.error" 2>/dev/null || :
