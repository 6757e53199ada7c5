set -eu
date -u '+began %Y-%m-%dT%H:%M:%SZ'
sleep "$1"
cat
date -u '+ended %Y-%m-%dT%H:%M:%SZ'
