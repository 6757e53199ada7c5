"""The page of a desktop and what keeps it; runs inside images, as `python3 /opt/datalab-base/desktop`."""
