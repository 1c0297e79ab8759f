"""The coordinator's settings: a TOML file, overridden by the environment (STREAMRP2P_COORDINATOR_...)."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from streamrp2p.cli_options import DEFAULT_METRICS_HOST
from streamrp2p.errors import MalformedError
from streamrp2p.http_api import check_base_url
from streamrp2p.validation import first_fault
from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.network import Policy

ENVIRONMENT_PREFIX = "STREAMRP2P_COORDINATOR_"

PoolId = Annotated[int, Field(ge=0, lt=1 << 32)]
Origin = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?$")]
Seconds = Annotated[int, Field(ge=1, le=86_400)]


class Settings(BaseSettings):
    """All settings. Paths in the file are relative to the file's folder. Passwords are read from files alone."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True)

    rpc_url: str
    """The chain's RPC endpoint; of several, separated by commas, the first that is well is used."""
    deployment: Path
    """The deployment file: chain id and contract addresses."""
    poster_keystore: Path
    poster_password_file: Path | None = None
    """Without it the password is asked for."""
    ticket_signer_keystore: Path
    ticket_signer_password_file: Path | None = None
    ticket_signers: dict[PoolId, str] = {}
    """By pool the URL of the signer that its streamer runs; of all others the own ticket signer admits viewers."""
    database_url: str = "sqlite:///./coordinator.db"
    bundle_dir: Path = Path("bundles")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8100
    """0 lets the system choose."""
    rate_slack_seconds: Annotated[int, Field(ge=0, le=3_600)] = 10
    ticket_seconds: Seconds = 300
    max_batch_records: Annotated[int, Field(ge=1, le=100_000)] = 1000
    max_rejections_per_node: Annotated[int, Field(ge=0)] = 4096
    confirmations: Annotated[int, Field(ge=0, le=10_000)] = 0
    """How many blocks must follow one before its state counts; 0 on a chain that never reorganises."""
    max_fee_wei: Annotated[int, Field(ge=1)] = 100 * 10**9
    """What no transaction offers more than for one gas."""
    max_priority_fee_wei: Annotated[int, Field(ge=1)] = 10 * 10**9
    """How much of that goes to the block's maker at most."""
    max_answer_fee_wei: Annotated[int, Field(ge=1)] = 1000 * 10**9
    """Instead of both while a demand for data is being answered: its deadline costs the bond."""
    tick_seconds: Annotated[float, Field(gt=0, le=600)] = 1.0
    """How often the scheduler looks what is due."""
    max_clock_skew_seconds: Seconds = 30
    """How far the chain's newest block may be ahead of this machine's clock."""
    log_format: Literal["console", "json"] = "console"
    posts_per_second: Annotated[float, Field(ge=0, le=100_000)] = 20.0
    """How many requests one address may post in the long run, for each process; 0: without a bound."""
    post_burst: Annotated[int, Field(ge=1, le=100_000)] = 200
    """How many it may post at once."""
    admin_token_file: Path | None = None
    """A file of mode 600 with the token of /v1/admin; without it there are no such routes."""
    notify_urls_file: Path | None = None
    """A file of mode 600 with apprise URLs, one a line: who is told when something is wrong."""
    low_balance_wei: Annotated[int, Field(ge=0)] = 5 * 10**16
    """With less in the poster's account they are told."""
    public_url: str | None = None
    """Where everybody reaches the API, through a proxy with TLS: `doctor` looks whether that is so."""
    dashboard_origins: tuple[Origin, ...] = ()
    """Pages that accounts may sign in from (EIP-4361), as `https://dashboard.example`; none: nobody signs in."""
    traces_endpoint: str | None = None
    """Where traces go by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; without it none are made."""
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = None
    """Where the operator finds /metrics, /healthz and /readyz; without it nowhere. Each process needs its own."""
    metrics_host: str = DEFAULT_METRICS_HOST
    """Whoever reaches it reads what the poster has and how many watch."""
    health_seconds: Seconds = 5
    """How often each node is asked whether it is up."""
    probe_site: str | None = None
    """The web page's origin that viewers come from, such as https://watch.example: hidden probes of nodes name it as
    their browsers do. Without it none are sent."""
    probe_seconds: Annotated[float, Field(ge=1, le=86_400)] = 600.0
    """How long it is between two probes of one node, on average; at random."""
    probe_watch_seconds: Annotated[float, Field(ge=8, le=600)] = 45.0
    """How long the median probe watches."""
    max_probes: Annotated[int, Field(ge=1, le=64)] = 4
    """How many watch at once."""
    probe_proxies_file: Path | None = None
    """A file of mode 600 with proxies that probes leave through, one a line: http://user:password@host:3128."""
    allow_local_networks: bool = False
    """Whether nodes may be at private addresses: for tests and networks of one's own, never on the internet."""

    @field_validator("public_url", "probe_site")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        try:
            return None if url is None else check_base_url(url)
        except MalformedError as error:
            raise ValueError(str(error)) from error

    @field_validator("metrics_port")
    @classmethod
    def _is_another_port(cls, metrics_port: int | None, info: ValidationInfo) -> int | None:
        if metrics_port and metrics_port == info.data.get("port"):
            raise ValueError(f"it must be another than port, which is {metrics_port} as well")
        return metrics_port

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the file, whose values are given at construction."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    def policy(self) -> Policy:
        """Return the published choices."""
        return Policy(
            rate_slack_seconds=self.rate_slack_seconds,
            ticket_seconds=self.ticket_seconds,
            max_batch_records=self.max_batch_records,
            max_rejections_per_node=self.max_rejections_per_node,
        )


PATHS = (
    "deployment",
    "poster_keystore",
    "poster_password_file",
    "ticket_signer_keystore",
    "ticket_signer_password_file",
    "bundle_dir",
    "admin_token_file",
    "notify_urls_file",
    "probe_proxies_file",
)
SQLITE_RELATIVE = "sqlite:///./"


def load_settings(path: Path) -> Settings:
    """Read a settings file; raises ConfigurationError, which names the first wrong setting but never its value."""
    try:
        with path.open("rb") as file:
            values: dict[str, Any] = tomllib.load(file)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path} does not exist; make it with: streamrp2p coordinator init --config {path}"
        ) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as TOML: {error}") from error
    folder = path.resolve().parent
    for name in PATHS:
        if isinstance(values.get(name), str):
            values[name] = folder / values[name]
    values.setdefault("bundle_dir", folder / "bundles")
    url = values.get("database_url", Settings.model_fields["database_url"].default)
    if isinstance(url, str) and url.startswith(SQLITE_RELATIVE):
        values["database_url"] = f"sqlite:///{folder / url.removeprefix(SQLITE_RELATIVE)}"
    try:
        return Settings(**values)
    except ValidationError as error:
        name, fault = first_fault(error)
        raise ConfigurationError(f"{path}: {name}: {fault}") from error
