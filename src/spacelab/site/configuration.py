"""Every setting of the platform: name, type, default, meaning; read from the environment and one TOML file."""

from __future__ import annotations

import os
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from spacelab.kit.loopback import is_loopback
from spacelab.workloads.rules import PROFILES, Profile

LONGEST_SOCKET_DIRECTORY = 60
"""Characters: Linux allows 107 for a Unix socket's path, of which `/<session>/main.sock` and a margin take the rest."""


def default_state() -> Path:
    """Where the platform keeps everything when nobody says otherwise: `var` below the current folder."""
    return Path.cwd() / "var"


class Configuration(BaseSettings):
    """The platform's settings. Each is `SPACELAB_<NAME>` in the environment, or `<name>` in `<state>/spacelab.toml`."""

    model_config = SettingsConfigDict(env_prefix="SPACELAB_", extra="forbid", validate_default=True)

    state: Path = Field(default_factory=default_state, description="The one directory that holds all state.")
    debug: bool = Field(default=False, description="Show tracebacks in pages. Never on a public address.")
    demo: bool = Field(
        default=True,
        description="Offer demo people with one-click sign-in. Refused on an address that others can reach.",
    )
    bind: str = Field(default="127.0.0.1", description="The address that the edge listens on.")
    port: int = Field(default=8080, ge=1, le=65535, description="The port that the edge listens on.")
    portal_url: str = Field(default="", description="The portal's public address. Empty: http://localhost:<port>.")
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Networks of proxies in front of the edge, comma-separated: only these may say for whom they ask.",
    )
    apps_domain: str = Field(
        default="localhost", description="Sessions live at <session>.<apps domain>; needs a wildcard name in DNS."
    )
    database_url: str = Field(
        default="", description="postgresql://user@host/name, or empty for SQLite in the state directory."
    )
    secret_key: str = Field(default="", description="Signs cookies. Empty: made once and kept in the state directory.")
    runtime: str = Field(
        default="process",
        description="What carries workloads: `process`, `container`, or the dotted name of a class.",
    )
    container_engine: str = Field(
        default="",
        description="The address of the container engine, such as unix:///run/podman/podman.sock. "
        "Empty: $DOCKER_HOST, or the usual sockets of Podman and Docker.",
    )
    companion_image: str = Field(
        default="",
        description="The image with which the platform accompanies each container. Empty: datalabs_base.",
    )
    gpu_devices: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="The GPUs that sessions may ask for, by their CDI names, comma-separated: nvidia.com/gpu=0.",
    )
    sandbox: Literal["auto", "bubblewrap", "plain"] = Field(
        default="auto",
        description="How the process runtime isolates: by bubblewrap, not at all, or what the host allows.",
    )
    workload_uid: int = Field(
        default=64200, ge=1000, description="The user id that workloads get when the platform itself runs as root."
    )
    warm_pipelines: bool = Field(
        default=True,
        description="Whether the controller keeps a coordinator loaded (120 MB), under root in a sandbox on standby "
        "(6 MB more), so that pipeline runs start at once.",
    )
    pipeline_steps: Literal["here", "slurm"] = Field(
        default="here",
        description="Where steps of pipelines run: on the platform's machine, or as jobs of a Slurm cluster that "
        "shares its file system (with the process runtime).",
    )
    slurm_conf: Path | None = Field(
        default=None, description="The cluster's slurm.conf, where it is not in its usual place."
    )
    slurm_options: Annotated[list[str], NoDecode] = Field(
        default=[], description="Further options of srun for each step, comma-separated: --partition=main."
    )
    pipeline_images: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Container images that steps of pipelines may use beside those of datalabs, comma-separated: names "
        "or patterns like docker.io/library/*. They have to be on the machine: nothing is pulled for a run.",
    )
    egress_blocked: Annotated[list[str], NoDecode] = Field(
        default=[
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.168.0.0/16",
            "224.0.0.0/3",
            "::/96",
            "64:ff9b:1::/48",
            "fc00::/7",
            "fe80::/9",
            "ff00::/8",
        ],
        description="Networks that a session's outbound requests may not reach, comma-separated.",
    )
    egress_allowed: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Networks or host names that are reachable in spite of the blocked networks, comma-separated.",
    )
    quota_sessions: int = Field(default=4, ge=1, description="Sessions that one person may have at once.")
    quota_cpu: float = Field(default=8, gt=0, description="CPU cores that one person's sessions may ask for together.")
    quota_memory_mb: int = Field(
        default=16384, gt=0, description="Memory, in MiB, that one person's sessions may ask for together."
    )
    profiles: list[Profile] = Field(
        default=list(PROFILES),
        min_length=1,
        description="The resource profiles of sessions, smallest first.",
    )
    catalogue_datalabs: Annotated[list[str], NoDecode] = Field(
        default=["all"],
        description="The datalabs of the shipped catalogue that this platform offers, comma-separated, or `all`.",
    )
    idle_minutes: int = Field(
        default=480, ge=1, description="Minutes without activity after which a session is stopped."
    )
    idle_warning_minutes: int = Field(
        default=30, ge=0, description="Minutes before that stop when its owner is warned."
    )
    thread_hours: int = Field(default=24, ge=1, description="Hours that a processing thread may run.")
    start_timeout_seconds: int = Field(
        default=120, ge=1, description="Seconds that an interface may take to answer before the start counts as failed."
    )
    quota_builds: int = Field(default=10, ge=1, description="Unfinished builds that one person may have at once.")
    builds_at_once: int = Field(default=2, ge=1, description="Builds at work at the same time, of all people together.")
    build_minutes: int = Field(default=30, ge=1, description="Minutes that a build may take.")
    build_cpu: float = Field(default=2, gt=0, description="CPU cores of a build.")
    build_memory_mb: int = Field(default=4096, ge=256, description="Memory of a build, in MiB.")
    build_disk_mb: int = Field(default=8192, ge=256, description="Disk that a build may fill, in MiB.")
    build_upload_mb: int = Field(default=256, ge=1, description="Largest upload of a package, in MiB.")
    builds_kept: int = Field(
        default=3,
        ge=1,
        description="Outcomes of one person's builds of a datalab that are kept, the newest, beside what is in use.",
    )
    build_days: int = Field(
        default=30, ge=1, description="Days for which the files of failed, cancelled and superseded builds are kept."
    )
    disk_floor_mb: int = Field(
        default=4096,
        ge=0,
        description="Free MiB of the state's disk below which what nothing needs is removed early, the oldest first.",
    )
    quota_runs: int = Field(default=2, ge=1, description="Runs of pipelines that one person may have at work at once.")
    quota_waiting_runs: int = Field(
        default=100, ge=1, description="Runs of pipelines that one person may have unfinished, at work or waiting."
    )
    runs_at_once: int = Field(
        default=16, ge=1, description="Runs of pipelines at work at the same time, of all people together."
    )
    run_hours: int = Field(default=72, ge=1, description="Hours that one attempt of a run may take.")
    run_disk_mb: int = Field(
        default=20480,
        ge=64,
        description="Disk that a run may fill, in MiB, with its own folder and what its jobs write; else it is ended.",
    )
    run_cache_mb: int = Field(
        default=20480,
        ge=0,
        description="What one person's jobs left for reuse, in MiB; beyond it, what was unused for longest is removed.",
    )
    run_restarts: int = Field(
        default=3,
        ge=0,
        description="How often a run goes on by itself that was lost, e.g. with its machine, without a job finished in "
        "between. 0: never.",
    )
    run_days: int = Field(
        default=90,
        ge=1,
        description="Days for which the folders of ended runs are kept, and what jobs left for reuse since it was used "
        "last; pages and outputs stay.",
    )
    launch_tests_at_once: int = Field(default=1, ge=1, description="Launch tests at work at the same time.")
    launch_test_profile: str = Field(
        default="", description="The resource profile of launch tests, by its name. Empty: the smallest."
    )
    launch_test_minutes: int = Field(
        default=15, ge=1, description="Minutes that all notebooks of a package may take together in a launch test."
    )
    browser: str = Field(
        default="",
        description="The path of a Chromium that takes pictures of interfaces in launch tests. Empty: no pictures.",
    )
    preservation_days: int = Field(
        default=0,
        ge=0,
        description="Days after which a published or archived version is started again to see that it still works. "
        "0: never.",
    )
    package_index: str = Field(
        default="",
        description="The index that builds fetch Python packages from. Empty: PyPI, https://pypi.org/simple.",
    )
    npm_registry: str = Field(
        default="", description="The registry that builds fetch npm packages from. Empty: https://registry.npmjs.org."
    )
    image_registry: str = Field(
        default="localhost",
        description="The registry in the names of images: base images are <registry>/datalabs/<name>:<version>.",
    )
    base_image: str = Field(
        default="docker.io/library/debian:bookworm-slim",
        description="What base images start from: an image to pull, or bootstrap:<suite> to make a Debian here.",
    )
    debian_mirror: str = Field(
        default="",
        description="The address above debian/ and debian-security/. Empty: the base's own, http://deb.debian.org.",
    )
    ca_bundle: Path | None = Field(
        default=None,
        description="A PEM file of certificates that images trust beside Debian's, for inspecting proxies.",
    )
    disk_reserve_mb: int = Field(
        default=512, ge=0, description="Free MiB below which the platform starts no session and accepts no upload."
    )
    controller_interval_ms: int = Field(
        default=150, ge=10, description="Milliseconds between two looks of the controller."
    )
    vulnerability_database: Path | None = Field(
        default=None,
        description="OSV records: a folder or a zip file as osv.dev publishes them; imported anew when it changes.",
    )
    vulnerability_database_days: int = Field(
        default=14, ge=1, description="Days after which the database of vulnerabilities counts as old in reports."
    )
    vulnerability_gate: Literal["off", "critical", "high", "medium"] = Field(
        default="off", description="The mildest severity of a known vulnerability that fails a build."
    )
    vulnerability_gate_unfixed: bool = Field(
        default=False, description="Whether a vulnerability fails a build even while no version mends it."
    )
    vulnerability_allow_list: Path | None = Field(
        default=None, description="A TOML file of vulnerabilities that are accepted for a time, each with its reason."
    )
    scan_memory_mb: int = Field(
        default=4096, ge=2048, description="Address space, in MiB, of the program that lists an image's contents."
    )
    scan_timeout_seconds: int = Field(
        default=600, ge=1, description="Seconds that listing an image's contents may take."
    )
    image_import_mb: int = Field(
        default=20480, ge=1, description="MiB to which the layers of an imported image may unpack together."
    )
    registry_credentials: Path | None = Field(
        default=None,
        description="A file with user names and passwords of image registries, in the form of Docker's config.json.",
    )
    mail_from: str = Field(default="spacelab@localhost", description="The sender of the platform's mail.")
    mail_host: str = Field(
        default="", description="The server that takes the platform's mail by SMTP. Empty: mail is written to the log."
    )
    mail_port: int = Field(
        default=0, ge=0, le=65535, description="Its port. 0: the usual one, 25 for none, 587 for starttls, 465 for tls."
    )
    mail_security: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="How the way to the mail server is protected."
    )
    mail_user: str = Field(default="", description="The user name at the mail server, where it wants one.")
    mail_password_file: Path | None = Field(
        default=None, description="A file with nothing but the password at the mail server, for the platform to read."
    )
    mail_ca: Path | None = Field(
        default=None, description="A PEM file of certificates that vouch for the mail server beside the system's."
    )
    notification_days: int = Field(
        default=90,
        ge=14,
        description="Days for which notifications are kept once they are read; unread ones four times as long.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        state = Path(os.environ.get("SPACELAB_STATE") or default_state())
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, state / "spacelab.toml")

    @field_validator(
        *("egress_blocked", "egress_allowed", "trusted_proxies", "gpu_devices", "catalogue_datalabs"),
        *("pipeline_images", "slurm_options"),
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        url = urlsplit(value)
        if value and (url.scheme not in {"postgresql", "postgres"} or not url.path.strip("/")):
            message = "it must look like postgresql://user@host/name, or be empty for SQLite."
            raise ValueError(message)
        return value

    @field_validator("state")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _complete(self) -> Configuration:
        if not self.portal_url:
            self.portal_url = f"http://localhost:{self.port}"
        self.portal_url = self.portal_url.rstrip("/")
        self.container_engine = self.container_engine or os.environ.get("DOCKER_HOST", "")
        if self.demo and not (is_loopback(self.bind) and is_loopback(self.portal_host)):
            message = (
                f"demo is on, but the platform would be reachable at {self.bind} ({self.portal_url}). "
                "Demo people sign in without a password: set demo to false, or bind to 127.0.0.1."
            )
            raise ValueError(message)
        self._check_mail()
        return self

    def _check_mail(self) -> None:
        message = ""
        if bool(self.mail_user) != bool(self.mail_password_file):
            message = "mail_user and mail_password_file belong together: set both, or neither."
        elif self.mail_user and self.mail_security == "none" and not is_loopback(self.mail_host):
            message = "a password would go to the mail server in the clear: set mail_security to starttls or tls."
        if message:
            raise ValueError(message)

    @property
    def usual_mail_port(self) -> int:
        """The port that mail servers listen on for the protection that is set."""
        return {"none": 25, "starttls": 587, "tls": 465}[self.mail_security]

    @property
    def portal_host(self) -> str:
        """The portal's host name, without a port."""
        return urlsplit(self.portal_url).hostname or "localhost"

    @property
    def secure(self) -> bool:
        """Whether people reach the portal by https, so cookies may insist on it."""
        return self.portal_url.startswith("https://")

    @property
    def run_directory(self) -> Path:
        """Where sockets live: `<state>/run`, or a short directory of its own when the state's path is too long."""
        inside = self.state / "run"
        if len(str(inside)) <= LONGEST_SOCKET_DIRECTORY:
            return inside
        mark = blake2b(str(self.state).encode(), digest_size=5).hexdigest()
        return Path(tempfile.gettempdir()) / f"spacelab-{os.getuid()}-{mark}"
