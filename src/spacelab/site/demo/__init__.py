"""The main job without a browser: what `spacelab demo` does, through the same addresses as everybody."""
