"""Names that differ between Python modules, PyPI, conda and Debian, and what the base images bring.

Only names that differ stand here; any other name is taken as it is. Sources: the projects' own installation pages,
conda-forge's feedstocks and Debian's package search.
"""

from __future__ import annotations

MODULE_TO_PYPI = {
    "Bio": "biopython",
    "Crypto": "pycryptodome",
    "IPython": "ipython",
    "OpenGL": "PyOpenGL",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "erfa": "pyerfa",
    "ffmpeg": "ffmpeg-python",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "gi": "PyGObject",
    "glue": "glue-core",
    "google.protobuf": "protobuf",
    "igraph": "python-igraph",
    "imblearn": "imbalanced-learn",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "magic": "python-magic",
    "mpl_toolkits.basemap": "basemap",
    "netCDF4": "netCDF4",
    "osgeo": "GDAL",
    "pkg_resources": "setuptools",
    "psycopg2": "psycopg2-binary",
    "pylab": "matplotlib",
    "pywt": "PyWavelets",
    "rest_framework": "djangorestframework",
    "ruamel": "ruamel.yaml",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "slugify": "python-slugify",
    "socks": "PySocks",
    "umap": "umap-learn",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "wx": "wxPython",
    "xmmsas": "",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
    # Programs with a Python part of their own, which PyPI doesn't have
    "ciao_contrib": "",
    "pycrates": "",
    "pysas": "",
    "heasoftpy": "",
    "xspec": "",
    "google.colab": "",
    "mpl_toolkits": "matplotlib",
    "pyximport": "Cython",
    "cython": "Cython",
    "ligo": "ligo.skymap",
    "marvin": "sdss-marvin",
}
"""The distribution that holds a module; an empty text where PyPI has none."""

WITHOUT_PYPI = {
    "xmmsas": "XMM-Newton's SAS",
    "pysas": "XMM-Newton's SAS",
    "ciao_contrib": "CIAO",
    "pycrates": "CIAO",
    "heasoftpy": "HEASoft",
    "xspec": "HEASoft",
    "google.colab": "Google Colab",
}
"""The software whose own installer brings a module."""

CONDA_TO_PYPI = {
    "dask-core": "dask",
    "esmpy": "",
    "gst-python": "",
    "importlib_metadata": "importlib-metadata",
    "jupyter_client": "jupyter-client",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python-headless",
    "prompt_toolkit": "prompt-toolkit",
    "py-opencv": "opencv-python-headless",
    "py-xgboost": "xgboost",
    "pyqt": "PyQt5",
    "pytables": "tables",
    "python-blosc": "blosc",
    "python-graphviz": "graphviz",
    "python-kaleido": "kaleido",
    "python-lmdb": "lmdb",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-lightning": "pytorch-lightning",
    "seaborn-base": "seaborn",
    "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow",
}

CONDA_TO_DEBIAN = {
    "astromatic-scamp": "scamp",
    "astromatic-source-extractor": "source-extractor",
    "astromatic-swarp": "swarp",
    "c-compiler": "gcc",
    "cfitsio": "libcfitsio-dev",
    "cmake": "cmake",
    "compilers": "build-essential",
    "curl": "curl",
    "cxx-compiler": "g++",
    "ds9": "saods9",
    "ffmpeg": "ffmpeg",
    "fftw": "libfftw3-dev",
    "fortran-compiler": "gfortran",
    "gcc": "gcc",
    "gfortran": "gfortran",
    "ghostscript": "ghostscript",
    "git": "git",
    "gnuplot": "gnuplot-nox",
    "graphviz": "graphviz",
    "gsl": "libgsl-dev",
    "gxx": "g++",
    "hdf5": "libhdf5-dev",
    "imagemagick": "imagemagick",
    "make": "make",
    "montage": "montage",
    "nodejs": "nodejs",
    "octave": "octave",
    "openjdk": "default-jre-headless",
    "openmpi": "openmpi-bin",
    "pandoc": "pandoc",
    "pkg-config": "pkg-config",
    "r-base": "r-base-core",
    "rsync": "rsync",
    "subversion": "subversion",
    "swig": "swig",
    "texlive-core": "texlive-latex-recommended",
    "topcat": "topcat",
    "unzip": "unzip",
    "wcslib": "wcslib-dev",
    "wget": "wget",
    "xpa": "xpa-tools",
    "zip": "zip",
}

CONDA_NOT_NEEDED = frozenset(
    {"bzip2", "ca-certificates", "conda", "gettext", "icu", "jpeg", "krb5", "ld_impl_linux-64", "mamba", "ncurses"}
    | {"openssl", "pip", "pixman", "python_abi", "readline", "setuptools", "sqlite", "tk", "tzdata", "wheel", "xz"}
    | {"yaml", "zlib", "zstd", "mkl", "blas", "openblas", "nomkl", "freetype", "fontconfig", "expat", "pcre", "lcms2"}
    | {"mkl-service", "mkl_fft", "mkl_random", "intel-openmp", "llvm-openmp", "giflib", "lerc", "openjpeg", "qt"}
    | {"qt-main", "dbus", "glib", "gstreamer", "gst-plugins-base", "nspr", "nss", "c-ares", "zeromq", "brotli"}
)
"""Parts of conda's own foundation, which packages of PyPI and Debian bring for themselves."""

CONDA_ELSEWHERE = {
    "ciao": "CIAO",
    "heasoft": "HEASoft",
    "iraf-all": "IRAF",
    "pyraf-all": "IRAF",
    "sas": "XMM-Newton's SAS",
    "stsci": "the STScI's collection; name its packages one by one",
}
"""What only a channel of its own has."""

JUPYTER_SERVER = frozenset(
    {"jupyter", "jupyterhub", "jupyterlab", "jupyter-client", "jupyter-core", "jupyter-server", "nbclassic"}
    | {"notebook", "jupyter-notebook", "jupyter-lab"}
)
"""What runs the notebooks: jl_base has it, of one version that fits together, so a package's own wish is left out."""

BASE_PACKAGES: dict[str, frozenset[str]] = {
    "jl_base": frozenset(
        {"astropy", "astroquery", "beautifulsoup4", "h5py", "ipykernel", "ipympl", "ipython", "ipywidgets"}
        | {"jupyter-client", "jupyter-server", "jupyterlab", "matplotlib", "nbformat", "numpy", "pandas", "pillow"}
        | {"pip", "pyerfa", "python-dateutil", "pyvo", "pyyaml", "requests", "scipy", "uv"}
    ),
    "web_base": frozenset({"pip", "uv"}),
    "x_base": frozenset(),
    "datalabs_base": frozenset(),
}
"""What people import that each base image brings, by the names of PyPI."""

DESKTOP_PROGRAMS = {
    "aladin": "aladin",
    "filezilla": "filezilla",
    "ftools-fv": "fv",
    "gaia": "gaia",
    "kstars": "kstars",
    "qfitsview": "QFitsView",
    "saods9": "ds9",
    "siril": "siril",
    "stellarium": "stellarium",
    "topcat": "topcat",
}
"""Debian packages whose program is what a desktop datalab shows, and that program."""

_POPULAR = """
    aiohttp altair aplpy astroplan astropy-healpix astroscrappy batman-package bokeh bottleneck cartopy casatasks
    casatools ccdproc cdflib cftime contextily corner cupy dash dask datashader drms dynesty emcee exoplanet fastapi
    fitsio flask galpy geopandas glue-core gradio gunicorn gwpy healpy holoviews hvplot intake ipyaladin jax jdaviz
    joblib jplephem keras lightkurve lmfit marimo matplotlib mocpy netCDF4 networkx numba opencv-python-headless
    openpyxl panel pandas photutils pillow plotly poliastro polars pooch pyarrow pyephem pymc pynbody pyspeckit
    pytest pytorch-lightning pyvo rasterio rebound regions reproject rioxarray rtree scikit-image scikit-learn scipy
    seaborn sep shapely skyfield solara spacepy specutils spectral-cube spiceypy sqlalchemy starlette statsmodels
    streamlit sunpy sympy tensorflow torch torchvision tqdm uvicorn vaex voila waitress xarray yt zarr
"""
POPULAR = frozenset(_POPULAR.split())
"""Packages that scientists name often; a slip in a name is compared with these."""

HEADER_TO_DEBIAN = {
    "Python.h": "python3-dev",
    "cblas.h": "libopenblas-dev",
    "curl/curl.h": "libcurl4-openssl-dev",
    "expat.h": "libexpat1-dev",
    "ffi.h": "libffi-dev",
    "fftw3.h": "libfftw3-dev",
    "fitsio.h": "libcfitsio-dev",
    "freetype2/ft2build.h": "libfreetype-dev",
    "ft2build.h": "libfreetype-dev",
    "gdal.h": "libgdal-dev",
    "geos_c.h": "libgeos-dev",
    "gmp.h": "libgmp-dev",
    "graphviz/cgraph.h": "libgraphviz-dev",
    "gsl/gsl_math.h": "libgsl-dev",
    "hdf5.h": "libhdf5-dev",
    "jpeglib.h": "libjpeg-dev",
    "lber.h": "libldap2-dev",
    "ldap.h": "libldap2-dev",
    "libpq-fe.h": "libpq-dev",
    "libxml/xmlversion.h": "libxml2-dev",
    "mpfr.h": "libmpfr-dev",
    "mpi.h": "libopenmpi-dev",
    "mysql.h": "default-libmysqlclient-dev",
    "netcdf.h": "libnetcdf-dev",
    "openssl/ssl.h": "libssl-dev",
    "png.h": "libpng-dev",
    "proj.h": "libproj-dev",
    "sasl/sasl.h": "libsasl2-dev",
    "sndfile.h": "libsndfile1-dev",
    "spatialindex/capi/sidx_api.h": "libspatialindex-dev",
    "sql.h": "unixodbc-dev",
    "sqlite3.h": "libsqlite3-dev",
    "wcslib/wcs.h": "wcslib-dev",
    "zlib.h": "zlib1g-dev",
}
"""Which Debian package brings a header that a compiler misses."""

LIBRARY_TO_DEBIAN = {
    "blas": "libopenblas-dev",
    "cairo": "libcairo2-dev",
    "cfitsio": "libcfitsio-dev",
    "fftw3": "libfftw3-dev",
    "freetype2": "libfreetype-dev",
    "gdal": "libgdal-dev",
    "gsl": "libgsl-dev",
    "hdf5": "libhdf5-dev",
    "lapack": "liblapack-dev",
    "libGL": "libgl1",
    "libGLX": "libgl1",
    "libSM": "libsm6",
    "libX11": "libx11-6",
    "libXext": "libxext6",
    "libXrender": "libxrender1",
    "libcgraph": "libgraphviz-dev",
    "libglib-2.0": "libglib2.0-0",
    "libgobject-2.0": "libglib2.0-0",
    "libgomp": "libgomp1",
    "libmariadb": "default-libmysqlclient-dev",
    "libsndfile": "libsndfile1",
    "mysqlclient": "default-libmysqlclient-dev",
    "netcdf": "libnetcdf-dev",
    "openblas": "libopenblas-dev",
    "wcslib": "wcslib-dev",
    "xcb": "libxcb1-dev",
    "z": "zlib1g-dev",
}
"""Which Debian package brings a library that a linker, a loader or pkg-config misses."""

PROGRAM_TO_DEBIAN = {
    "R": "r-base-core",
    "bzip2": "bzip2",
    "c++": "g++",
    "cc": "gcc",
    "cmake": "cmake",
    "curl": "curl",
    "curl-config": "libcurl4-openssl-dev",
    "dot": "graphviz",
    "ffmpeg": "ffmpeg",
    "g++": "g++",
    "gcc": "gcc",
    "gdal-config": "libgdal-dev",
    "geos-config": "libgeos-dev",
    "gfortran": "gfortran",
    "git": "git",
    "gsl-config": "libgsl-dev",
    "java": "default-jre-headless",
    "latex": "texlive-latex-recommended",
    "make": "make",
    "mpicc": "libopenmpi-dev",
    "mysql_config": "default-libmysqlclient-dev",
    "nc-config": "libnetcdf-dev",
    "node": "nodejs",
    "npm": "npm",
    "pg_config": "libpq-dev",
    "pkg-config": "pkg-config",
    "rsync": "rsync",
    "svn": "subversion",
    "swig": "swig",
    "unzip": "unzip",
    "wget": "wget",
    "x86_64-linux-gnu-g++": "g++",
    "x86_64-linux-gnu-gcc": "gcc",
    "xz": "xz-utils",
    "zip": "zip",
}
"""Which Debian package brings a program that a build misses."""
