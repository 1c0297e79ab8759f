"""A home router's UPnP gateway on loopback: SSDP over UDP, SOAP over HTTP, with the quirks of real ones."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
ARGUMENTS = {
    "GetExternalIPAddress": ([], ["NewExternalIPAddress"]),
    "AddPortMapping": (
        [
            "NewRemoteHost",
            "NewExternalPort",
            "NewProtocol",
            "NewInternalPort",
            "NewInternalClient",
            "NewEnabled",
            "NewPortMappingDescription",
            "NewLeaseDuration",
        ],
        [],
    ),
    "DeletePortMapping": (["NewRemoteHost", "NewExternalPort", "NewProtocol"], []),
    "GetSpecificPortMappingEntry": (
        ["NewRemoteHost", "NewExternalPort", "NewProtocol"],
        ["NewInternalPort", "NewInternalClient", "NewEnabled", "NewPortMappingDescription", "NewLeaseDuration"],
    ),
}  # fmt: skip
TYPES = {
    "NewExternalPort": "ui2",
    "NewInternalPort": "ui2",
    "NewEnabled": "boolean",
    "NewLeaseDuration": "ui4",
}


class UpnpFaultError(Exception):
    """What the router answers with an error code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass
class Mapping:
    client: str
    port: int
    lease_seconds: int
    adds: int = 1


@dataclass
class FakeRouter:
    """Its state, and what is wrong with it."""

    external_address: str = "198.51.100.7"
    leases: bool = True
    lease_fault: int = 725
    refusal: int | None = None
    same_ports_alone: bool = False
    knows_no_entries: bool = False
    is_silent: bool = False
    answers_search: bool = True
    location_host: str = "127.0.0.1"
    control_url: str = "/control"
    raw: dict[str, bytes] = field(default_factory=dict)
    """Answers to send instead, by path."""
    mappings: dict[int, Mapping] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    searches: int = 0
    port: int = 0
    ssdp_port: int = 0
    is_over: bool = False
    silence: threading.Event = field(default_factory=threading.Event)
    servers: list[ThreadingHTTPServer] = field(default_factory=list)

    @property
    def target(self) -> tuple[str, int]:
        return "127.0.0.1", self.ssdp_port

    def restart(self) -> None:
        """Forget all mappings and answer at another port from now on."""
        self.mappings.clear()
        old = self.servers.pop()
        self._serve()
        _stop(old)

    def call(self, action: str, given: dict[str, str]) -> dict[str, object]:
        self.calls.append(action)
        if self.refusal is not None and action == "AddPortMapping":
            raise UpnpFaultError(self.refusal)
        if action == "GetExternalIPAddress":
            return {"NewExternalIPAddress": self.external_address}
        port = int(given["NewExternalPort"])
        if action == "AddPortMapping":
            return self._add(port, given)
        if action == "DeletePortMapping":
            if self.mappings.pop(port, None) is None:
                raise UpnpFaultError(714)
            return {}
        found = self.mappings.get(port)
        if found is None or self.knows_no_entries:
            raise UpnpFaultError(714)
        return {
            "NewInternalPort": found.port,
            "NewInternalClient": found.client,
            "NewEnabled": 1,
            "NewPortMappingDescription": "",
            "NewLeaseDuration": found.lease_seconds,
        }

    def _add(self, port: int, given: dict[str, str]) -> dict[str, object]:
        client, own = given["NewInternalClient"], int(given["NewInternalPort"])
        lease_seconds = int(given["NewLeaseDuration"])
        if lease_seconds and not self.leases:
            raise UpnpFaultError(self.lease_fault)
        if self.same_ports_alone and port != own:
            raise UpnpFaultError(724)
        known = self.mappings.get(port)
        if known is not None and (known.client, known.port) != (client, own):
            raise UpnpFaultError(718)
        adds = known.adds + 1 if known else 1
        self.mappings[port] = Mapping(client, own, lease_seconds, adds)
        return {}

    def description(self) -> str:
        return f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>
<friendlyName>Router</friendlyName><manufacturer>T</manufacturer><modelName>T</modelName><UDN>uuid:1</UDN>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType>
<friendlyName>WAN</friendlyName><manufacturer>T</manufacturer><modelName>T</modelName><UDN>uuid:2</UDN>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>
<friendlyName>Connection</friendlyName><manufacturer>T</manufacturer><modelName>T</modelName><UDN>uuid:3</UDN>
<serviceList><service><serviceType>{SERVICE}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
<SCPDURL>/scpd.xml</SCPDURL><controlURL>{self.control_url}</controlURL><eventSubURL>/event</eventSubURL>
</service></serviceList></device></deviceList></device></deviceList></device></root>"""

    def scpd(self) -> str:
        def argument(name: str, direction: str) -> str:
            return (
                f"<argument><name>{name}</name><direction>{direction}</direction>"
                f"<relatedStateVariable>{name}</relatedStateVariable></argument>"
            )

        actions = "".join(
            f"<action><name>{name}</name><argumentList>"
            + "".join(argument(each, "in") for each in given)
            + "".join(argument(each, "out") for each in answered)
            + "</argumentList></action>"
            for name, (given, answered) in ARGUMENTS.items()
        )
        names = {name for pair in ARGUMENTS.values() for part in pair for name in part}
        variables = "".join(
            f'<stateVariable sendEvents="no"><name>{name}</name>'
            f"<dataType>{TYPES.get(name, 'string')}</dataType></stateVariable>"
            for name in sorted(names)
        )
        return (
            '<?xml version="1.0"?><scpd xmlns="urn:schemas-upnp-org:service-1-0">'
            f"<actionList>{actions}</actionList><serviceStateTable>{variables}</serviceStateTable></scpd>"
        )

    def respond(self, path: str, body: str) -> tuple[int, bytes]:
        self.paths.append(path)
        if self.is_silent:
            self.silence.wait(30)
        if path in self.raw:
            return 200, self.raw[path]
        if path == "/description.xml":
            return 200, self.description().encode()
        if path == "/scpd.xml":
            return 200, self.scpd().encode()
        action = re.search(r"<u:(\w+)", body)
        assert action is not None
        given = dict(re.findall(r"<(New\w+)>([^<]*)</", body))
        try:
            answer = self.call(action[1], given)
        except UpnpFaultError as fault:
            return 500, _envelope(
                "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>"
                '<UPnPError xmlns="urn:schemas-upnp-org:control-1-0">'
                f"<errorCode>{fault.code}</errorCode><errorDescription>no</errorDescription></UPnPError>"
                "</detail></s:Fault>"
            )
        values = "".join(f"<{name}>{value}</{name}>" for name, value in answer.items())
        return 200, _envelope(
            f'<u:{action[1]}Response xmlns:u="{SERVICE}">{values}</u:{action[1]}Response>'
        )

    def _serve(self) -> None:
        router = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                status, body = router.respond(self.path, self.rfile.read(length).decode())
                self.send_response(status)
                self.send_header("Content-Type", 'text/xml; charset="utf-8"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the name that the server looks for

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                pass  # Those who ask a silent router hang up.

        server = Server(("127.0.0.1", 0), Handler)
        self.port = int(server.server_address[1])
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()

    def _answer_searches(self, listener: socket.socket) -> None:
        while True:
            packet, asker = listener.recvfrom(2048)
            if self.is_over:
                return
            if not packet.startswith(b"M-SEARCH") or b"InternetGatewayDevice:1" not in packet:
                continue
            self.searches += 1
            if self.answers_search:
                location = f"http://{self.location_host}:{self.port}/description.xml"
                listener.sendto(
                    (
                        "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nEXT:\r\n"
                        f"LOCATION: {location}\r\nSERVER: T/1 UPnP/1.1 T/1\r\n"
                        "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
                        "USN: uuid:1::urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
                    ).encode(),
                    asker,
                )


@contextmanager
def running_router(**quirks: Any) -> Iterator[FakeRouter]:  # noqa: ANN401 - FakeRouter's fields
    """Run a router on loopback."""
    router = FakeRouter(**quirks)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        router.ssdp_port = listener.getsockname()[1]
        router._serve()
        search = threading.Thread(target=router._answer_searches, args=[listener])
        search.start()
        try:
            yield router
        finally:
            router.silence.set()
            for server in router.servers:
                _stop(server)
            # A datagram wakes the thread, which finds that it is over.
            router.is_over = True
            listener.sendto(b"", router.target)
            search.join()


def _stop(server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()


def _envelope(body: str) -> bytes:
    return (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
