"""How commands on this machine find and reach the node that runs in a folder."""

import ssl
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from streamrp2p.deadline import DeadlineTransport
from streamrp2p.durable import storage_error, write_atomically
from streamrp2p.node_client import NodeClient
from streamrp2p_node.errors import SettingsError


class Running(BaseModel):
    """What a running node leaves in its folder: its URL on this machine and the certificate that it shows there."""

    model_config = ConfigDict(frozen=True)

    url: str
    certificate: str | None = None
    """PEM; None for plain HTTP."""

    def write(self, path: Path) -> None:
        """Write the file; raises StorageError."""
        write_atomically(path, self.model_dump_json(exclude_none=True).encode())

    @classmethod
    def read(cls, path: Path) -> "Running | None":
        """Return what is in the file, None without one; raises SettingsError or StorageError."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(path, error) from error
        except ValidationError as error:
            raise SettingsError(f"{path} is damaged; name the node with --url") from error

    def client(self, timeout_seconds: float = 10.0) -> NodeClient:
        """Return a client of the node.

        The certificate is for the public name and not for this machine's loopback address: it is not the name that
        is checked but that the one who answers holds the very certificate.
        """
        if self.certificate is None:
            return NodeClient(self.url, timeout_seconds=timeout_seconds)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname = False
        tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        tls.load_verify_locations(cadata=self.certificate)
        return NodeClient(
            self.url, timeout_seconds=timeout_seconds, transport=DeadlineTransport(tls=tls)
        )
