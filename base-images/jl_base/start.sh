#!/bin/sh
# The default start of jl_base: JupyterLab on the datalab's port and address.
set -eu
level=$(echo "${LOG_LEVEL:-INFO}" | tr '[:lower:]' '[:upper:]')
exec "$SPACELAB_ENVIRONMENT/bin/python" -m jupyterlab \
    --ServerApp.ip=127.0.0.1 \
    --ServerApp.port="${IF_main_port:-10000}" \
    --ServerApp.base_url="/datalabs/${IF_main_id:-main}/" \
    --ServerApp.log_level="$level"
