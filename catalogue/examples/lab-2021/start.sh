#!/bin/bash
# Started by the old conventions: a change of user, a login shell, reports.
. /.datalab/init.sh

wait_interface &
cd "$HOME"

api_emit_running
if su - "$USER" -c "bash -cl \"HOME=$HOME /opt/miniconda/bin/jupyter lab --ip=0.0.0.0 --port=$IF_main_port \
    --ServerApp.base_url=/datalabs/$IF_main_id --IdentityProvider.token=''\""; then
    api_emit_finished
else
    api_emit_error
fi
api_emit_if_done
