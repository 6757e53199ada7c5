#!/bin/sh
# Fetches a repository into /build/source, as GIT_URL and GIT_REF say, and leaves its commit's name in the log.
set -u
target="$1"

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/false
export GIT_ALLOW_PROTOCOL=http:https GIT_PROTOCOL_FROM_USER=0 GIT_LFS_SKIP_SMUDGE=1 GIT_ATTR_NOSYSTEM=1

safe_git() {
    git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.symlinks=true -c core.askPass=/bin/false \
        -c credential.helper= -c filter.lfs.smudge= -c filter.lfs.process= -c filter.lfs.required=false \
        -c protocol.allow=never -c protocol.http.allow=always -c protocol.https.allow=always \
        -c http.followRedirects=true -c transfer.fsckObjects=true -c fetch.fsckObjects=true -c advice.detachedHead=false \
        -C "$target" "$@"
}

fail() {
    echo "FETCH FAILED: $1"
    exit 1
}

mkdir -p "$target" || fail "There is no room for the repository."
safe_git init --quiet || fail "Git does not start."
safe_git remote add origin "$GIT_URL"

echo "STEP 1/3: Asking $GIT_URL for ${GIT_REF:-its main branch}"
wanted="${GIT_REF:-HEAD}"
found=FETCH_HEAD
if ! safe_git fetch --quiet --depth 1 --no-tags --no-recurse-submodules origin "$wanted"; then
    # A server without shallow copies, or a short commit: all of it, then what was asked for.
    safe_git fetch --quiet --tags --no-recurse-submodules origin '+refs/heads/*:refs/remotes/origin/*' \
        || fail "The repository can't be fetched."
    [ -n "$GIT_REF" ] || wanted="$(safe_git ls-remote origin HEAD | cut -f 1)"
    found="$(safe_git rev-parse --verify --quiet "origin/$wanted^{commit}" \
        || safe_git rev-parse --verify --quiet "$wanted^{commit}" || true)"
    [ -n "$found" ] || fail "The repository has no “${GIT_REF:-main branch}”."
fi

echo "STEP 2/3: Taking out the files"
safe_git checkout --quiet --force "$found" -- || fail "The files can't be taken out."
echo "COMMIT $(safe_git rev-parse HEAD)"

echo "STEP 3/3: Looking for submodules"
if [ -f "$target/.gitmodules" ]; then
    # From public https addresses alone: a module must not lead where the person may not.
    GIT_ALLOW_PROTOCOL=https safe_git -c protocol.http.allow=never submodule --quiet update --init --depth 1 \
        || echo "Some submodules can't be fetched: only https addresses are."
fi
rm -rf "$target/.git"
find "$target" -name .git -type f -delete
echo "Fetched."
