# Runs the application and tells, before the container ends, whether memory ran out: an engine may not notice.

# The request to end goes to the whole process group: the application decides, this shell waits for it.
trap : TERM
"$@"
spacelab_code=$?

for spacelab_file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r "$spacelab_file" ] || continue
    while read -r spacelab_name spacelab_count; do
        [ "$spacelab_name" != oom_kill ] || echo "oom_kill $spacelab_count" >/.datalab/report
    done <"$spacelab_file"
done
exit "$spacelab_code"
