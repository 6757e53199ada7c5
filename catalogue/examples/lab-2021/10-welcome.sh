# Every start leaves a note in the home, once for each datalab.
note="$HOME/welcome-$DATALAB_ID.txt"
[ -e "$note" ] || echo "The passes are in /media/notebooks." >"$note"
