# `conda activate NAME` for shells that read this file, as start scripts and Dockerfiles of packages do.
# shellcheck shell=sh
conda() {
    case ${1-} in
    activate)
        CONDA_DEFAULT_ENV=${2:-base}
        CONDA_PREFIX=/opt/environments/${CONDA_DEFAULT_ENV##*/}
        [ -x "$CONDA_PREFIX/bin/python" ] || { echo "conda: there is no environment $CONDA_DEFAULT_ENV" >&2 && return 1; }
        VIRTUAL_ENV=$CONDA_PREFIX
        PATH=$CONDA_PREFIX/bin:$PATH
        export CONDA_DEFAULT_ENV CONDA_PREFIX VIRTUAL_ENV PATH
        ;;
    deactivate)
        PATH=/opt/environments/base/bin:$PATH
        unset CONDA_DEFAULT_ENV CONDA_PREFIX
        ;;
    *) command conda "$@" ;;
    esac
}
