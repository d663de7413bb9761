"""Settings: what `hubyard up` was told, kept in the state folder.

Every process of the hub's side is given the state folder (`HUBYARD_STATE`) and reads
the rest from there, so that none of them takes a secret from its arguments.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from hubyard.contract.errors import Invalid

STATE_VARIABLE = "HUBYARD_STATE"
EXTRA_VARIABLE = "HUBYARD_HUB_CONFIG"
"""A file of the deployment's own that the hub runs after our settings."""
ROUTES_SERVICE = "hubyard-up"
"""The supervisor, which asks the hub to restore routes when the proxy has restarted."""

_CONFIG = "config.json"


@dataclass(frozen=True)
class Settings:
    """Addresses, ports and places of one deployment.

    Ports are of this machine; 0 stands for "not chosen yet". Only `host` and `port`
    are for people: everything else listens on the loopback interface.
    """

    state: Path
    catalogue: Path
    host: str = "127.0.0.1"
    port: int = 8000
    url: str = ""
    """What people type, where it is not made of host and port."""
    hub_port: int = 0
    proxy_api_port: int = 0
    platform_port: int = 0
    mlflow_port: int = 0
    skeleton: Path | None = None
    """A folder whose files each new owner's folder begins with."""
    database: str = ""
    """URL of the platform's database; empty: SQLite in the state folder."""
    late_minutes: int = 15
    """A run that has not begun so long after its due time is late."""
    keep_days: int = 30
    """For how many days files that nothing needs are kept; 0: for ever."""
    least_free_mib: int | None = None
    """Of disk, below which nothing new starts; None: as `Disk` says."""
    reach: tuple[str, ...] = ()
    """`HOST:PORT` inside the network that notices may be sent to."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies in front of ours, which say who asks."""

    @classmethod
    def default_state(cls) -> Path:
        """`$HUBYARD_STATE`, else `~/.local/state/hubyard` (XDG base directories)."""
        if chosen := os.environ.get(STATE_VARIABLE):
            return Path(chosen)
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return Path(base) / "hubyard"

    @classmethod
    def load(cls, state: Path | None = None) -> Self:
        """Read what `hubyard up` kept in the state folder.

        Raises:
            Invalid: there is no such state, or its file is not ours.
        """
        state = state or cls.default_state()
        try:
            kept: dict[str, Any] = json.loads((state / _CONFIG).read_text())
            known = {f.name for f in fields(cls)}
            values: dict[str, Any] = {n: kept[n] for n in kept if n in known}
            values["catalogue"] = Path(values["catalogue"])
            for name in ("reach", "trusted_proxies"):
                values[name] = tuple(values.get(name, ()))
            values["skeleton"] = Path(kept["skeleton"]) if kept["skeleton"] else None
        except FileNotFoundError:
            raise Invalid(
                f"There is no Hubyard in {state}: start one with `hubyard up`."
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid(
                f"{state / _CONFIG} cannot be read ({error}): mend or remove it."
            ) from None
        values["state"] = state
        return cls(**values)

    def save(self) -> None:
        """Keep these settings in the state folder, atomically and mode 0600."""
        make_private_folder(self.state)
        values = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(self).items()
            if name != "state"
        }
        write_private(self.state / _CONFIG, json.dumps(values, indent=2) + "\n")

    def secret(self, name: str) -> str:
        """The secret of that name, made on first use; safe when two ask at once."""
        path = self.secret_file(name)
        return path.read_text().strip()

    def secret_file(self, name: str) -> Path:
        """The file, mode 0600, that holds the secret of that name: 64 hex digits."""
        path = self.state / "secrets" / name
        if not path.exists():
            make_private_folder(path.parent)
            fresh = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
            write_private(fresh, secrets.token_hex(32) + "\n")
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path

    @property
    def welcome_file(self) -> Path:
        """Where the first administrator's one-time code is kept."""
        return self.state / "secrets" / "welcome"

    @property
    def sign_in_link_file(self) -> Path:
        """Where the one-time code of `hubyard sign-in-link` is kept."""
        return self.state / "secrets" / "sign_in_link"

    @property
    def database_url(self) -> str:
        """SQLAlchemy's URL of the platform's database."""
        return self.database or f"sqlite:///{self.state / 'hubyard.sqlite'}"

    @property
    def public_url(self) -> str:
        """What a person types into a browser, without a trailing slash."""
        host = "127.0.0.1" if self.host in {"", "0.0.0.0", "::"} else self.host
        return self.url or f"http://{_bracketed(host)}:{self.port}"

    @property
    def bind_url(self) -> str:
        """Where the proxy listens."""
        return f"http://{_bracketed(self.host)}:{self.port}"

    @property
    def hub_api_url(self) -> str:
        """The hub's own API, past the proxy."""
        return f"http://127.0.0.1:{self.hub_port}/hub/api"

    @property
    def platform_url(self) -> str:
        """The platform, past the proxy."""
        return f"http://127.0.0.1:{self.platform_port}/services/hubyard"

    @property
    def mlflow_url(self) -> str:
        """MLflow behind its gate, past the proxy."""
        return f"http://127.0.0.1:{self.mlflow_port}/services/mlflow"

    @property
    def workloads(self) -> Path:
        """One folder for each workload, named after its ledger entry."""
        return self.state / "workloads"

    @property
    def homes(self) -> Path:
        """One folder for each owner."""
        return self.state / "homes"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def shipped(name: str) -> Path:
    """A file or folder that is shipped beside this room, or packed into it."""
    here = Path(__file__).parent
    packaged = here / name
    return packaged if packaged.exists() else here.parent / name


def make_private_folder(path: Path) -> None:
    """Make a folder that only this user may enter, also where it is there already."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
