#!/bin/sh
# Makes /opt/environments/base, by the uv that the lock names. Runs once, inside the image that is being built.
set -eu
here=/opt/build
environment=/opt/environments/base
lock=$here/requirements.txt

pip install -q --target /opt/build/uv "$(grep '^uv==' "$lock")"
uv=/opt/build/uv/bin/uv
"$uv" venv -q --python /usr/bin/python3 --prompt base "$environment"
set -- -r "$lock"
[ -f "$here/overrides.txt" ] && set -- "$@" --overrides "$here/overrides.txt"
"$uv" pip install --no-cache --no-progress --python "$environment/bin/python" "$@"

# What packages carry for their own tests and for rebuilding themselves. astropy's import needs its `tests`.
cd "$environment"/lib/python3.*/site-packages
find . -depth -type d -name tests ! -path './astropy/tests*' -exec rm -rf {} +
find . -depth \( -name '*.pyx' -o -name '*.pxd' -o -name '*.js.map' -o -name '*.css.map' -o -name '*.a' \) -delete
find jupyterlab/staging -type f ! -name package.json -delete 2>/dev/null || true
find "$environment/share/jupyter" -name '*.map' -delete 2>/dev/null || true
"$environment/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash .

# Where start scripts of older packages look for Python, pip and jupyter.
ln -s "$environment" /opt/miniconda
