"""What a stack keeps between its runs, below one folder, and at which ports of the loopback interface it listens."""

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from streamrp2p.durable import write_atomically
from streamrp2p.errors import StreamrP2PError
from streamrp2p_demo.layout import Layout
from streamrp2p_demo.layout import Ports as DemoPorts
from streamrp2p_demo.ports import LOOPBACK, free_ports


class StackError(StreamrP2PError):
    """The stack cannot be started; the message says what to do."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Ports:
    """One port for each thing that listens. The defaults are those of compose.yaml and of the programs themselves."""

    chain: int = 8545
    postgres: int = 5432
    rtmp: int = 1935
    callback: int = 8090
    origin: int = 8080
    coordinator: int = 8100
    coordinator_metrics: int = 9100
    node: int = 8200
    node_metrics: int = 9200
    auditor_metrics: int = 9300
    web: int = 8300
    prometheus: int = 9090
    grafana: int = 3000

    @classmethod
    def free(cls) -> "Ports":
        """Choose ports that nothing listens on now."""
        return cls(*free_ports(len(cls.__dataclass_fields__)))

    def require_free(self) -> None:
        """Raise StackError, which names them, when something listens on some."""
        taken = [f"{port} ({name})" for name, port in asdict(self).items() if _is_taken(port)]
        if taken:
            raise StackError(
                f"in use on {LOOPBACK}: {', '.join(taken)}. Stop what listens there (another stack?), "
                "or start in a new folder with --free-ports"
            )

    def of_actors(self) -> DemoPorts:
        """Return those that command lines of the actors name; nothing corrupts here, so there is no proxy."""
        return DemoPorts(self.chain, self.coordinator, self.origin, self.rtmp, (self.node,), 0)


@dataclass(frozen=True, slots=True)
class Folder:
    """Where everything of a stack is."""

    root: Path

    @property
    def layout(self) -> Layout:
        """Keys, settings, logs and the actors' own folders."""
        return Layout(self.root)

    @property
    def state(self) -> Path:
        """Written once everything is made: the ports and the pool's number."""
        return self.root / "stack.json"

    @property
    def chain(self) -> Path:
        """Anvil's state, which it writes when it ends."""
        return self.root / "chain.json"

    def password(self) -> str:
        """Return the password of every keystore and of the database."""
        return self.layout.password_file.read_text().strip()

    def load(self) -> tuple[Ports, int] | None:
        """Return the ports and the pool of an earlier run; None for a new folder.

        Raises StackError when the folder holds something else.
        """
        if self.state.exists():
            try:
                kept = json.loads(self.state.read_bytes())
                return Ports(**kept["ports"]), int(kept["pool"])
            except (ValueError, TypeError, KeyError):
                raise StackError(
                    f"{self.state} is not of this version; name another folder"
                ) from None
        if self.root.is_dir() and any(self.root.iterdir()):
            raise StackError(
                f"{self.root} holds no stack, or one whose first start did not come to its end: remove it yourself, "
                "or name another folder"
            )
        return None

    def save(self, ports: Ports, pool: int) -> None:
        """Keep what `load` returns."""
        text = json.dumps({"ports": asdict(ports), "pool": pool}, indent=2)
        write_atomically(self.state, text.encode() + b"\n")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: what the last run's connections left behind is not in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False
