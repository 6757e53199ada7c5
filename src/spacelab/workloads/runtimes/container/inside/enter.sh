# The first program of every application's container: its output goes to the log, it takes its secrets, then it
# becomes the application. Works in any image with a POSIX shell; the order of things matters.

. /.datalab/orders

exec </dev/null >/.datalab/output 2>&1

# The secrets come through a pipe that is empty afterwards: they are in no file, and not in what the engine shows.
spacelab_secrets=''
while IFS= read -r spacelab_line && [ "$spacelab_line" != '#end' ]; do
    spacelab_secrets="$spacelab_secrets$spacelab_line
"
done </.datalab/secrets
eval "$spacelab_secrets"
unset spacelab_secrets spacelab_line

umask 022
ulimit -c 0 2>/dev/null

spacelab_link() {
    [ -e "$2" ] || [ -L "$2" ] || ln -s "$1" "$2" || echo "spacelab: $2 could not be made"
}
[ -z "$SPACELAB_LINK_WORKSPACE" ] || spacelab_link "$SPACELAB_LINK_WORKSPACE" "$HOME/my_workspace"
[ -z "$SPACELAB_LINK_TEAMS" ] || spacelab_link "$SPACELAB_LINK_TEAMS" "$HOME/team_workspaces"

# A person's own packages, kept in her home, over the image's Python environment.
if [ -n "$SPACELAB_OVERLAY" ] && [ -x "$SPACELAB_ENVIRONMENT/bin/python" ]; then
    if spacelab_overlay=$("$SPACELAB_ENVIRONMENT/bin/python" -I -S -B /.datalab/personal.py "$SPACELAB_ENVIRONMENT" "$SPACELAB_OVERLAY"); then
        PATH="$spacelab_overlay/bin:$PATH"
        JUPYTER_PATH="$spacelab_overlay/share/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}"
        export PATH JUPYTER_PATH
    else
        echo 'spacelab: packages installed in this session will not be kept'
    fi
    unset spacelab_overlay
fi
unset SPACELAB_OVERLAY SPACELAB_LINK_WORKSPACE SPACELAB_LINK_TEAMS

cd "$SPACELAB_DIRECTORY" 2>/dev/null || cd /
unset SPACELAB_DIRECTORY

# The platform brings the init, so an image that begins with one of its own goes on with what that would run.
case "${1##*/}" in
    tini | dumb-init | catatonit)
        shift
        while [ "${1#-}" != "$1" ]; do
            spacelab_word=$1
            shift
            [ "$spacelab_word" != -- ] || break
        done
        ;;
esac

spacelab_trouble() {
    echo "$2"
    echo "trouble $2" >/.datalab/report
    exit "$1"
}
if ! command -v "$1" >/dev/null 2>&1; then
    [ ! -f "$1" ] || spacelab_trouble 126 "The command “$1” could not be started: it is not an executable file."
    spacelab_trouble 127 "The command “$1” was not found in this datalab."
fi

for spacelab_init in /sbin/tini /usr/bin/tini /usr/local/bin/tini /tini; do
    [ -x "$spacelab_init" ] && exec "$spacelab_init" -g -- /bin/sh /.datalab/run-to-end.sh "$@"
done
unset spacelab_init

# No init in this image: this shell stays as the first process, and passes on the request to end. What a shell starts
# beside itself ignores the interrupt signal, on which notebooks' kernels rely, unless `env` can set that right.
env --default-signal=INT,QUIT true 2>/dev/null && set -- env --default-signal=INT,QUIT "$@"
trap 'kill -TERM -1 2>/dev/null' TERM  # everybody but this first process; without it the request would be lost
/bin/sh /.datalab/run-to-end.sh "$@" &
spacelab_child=$!
while :; do
    wait "$spacelab_child"
    spacelab_code=$?
    kill -0 "$spacelab_child" 2>/dev/null || break
done
# A request to end may have cut the wait short just as the application ended: how that was is still to be asked then.
wait "$spacelab_child" 2>/dev/null
spacelab_again=$?
[ "$spacelab_again" -eq 127 ] || spacelab_code=$spacelab_again
exit "$spacelab_code"
