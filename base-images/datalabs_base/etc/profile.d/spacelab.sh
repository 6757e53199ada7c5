# A login shell forgets the image's PATH; start scripts use `bash -l`, and terminals are login shells.
for folder in "${SPACELAB_ENVIRONMENT:-/opt/environments/base}/bin" "${HOME}/.local/bin"; do
    case :$PATH: in *:"$folder":*) ;; *) [ -d "$folder" ] && PATH=$folder:$PATH ;; esac
done
export PATH
unset folder
