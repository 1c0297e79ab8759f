"""The settings of deploy/, which name the services of compose.yaml, put on this machine's loopback interface."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from scripts.stack.folder import Ports

DEPLOY = Path(__file__).parents[2] / "deploy"
NGINX_RTMP = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")


def nginx_settings(folder: Path, port: int, callback_ports: Mapping[str, int]) -> str:
    """Return deploy/nginx.conf for a folder, with its one application repeated for each name."""
    text = (DEPLOY / "nginx.conf").read_text()
    before, application, after = re.split(
        r"(        application live \{.*?\n        \}\n)", text, flags=re.DOTALL
    )
    copies = "".join(
        application.replace("application live", f"application {name}").replace(
            "127.0.0.1:8090", f"127.0.0.1:{callback_port}"
        )
        for name, callback_port in callback_ports.items()
    )
    text = f"{before}{copies}{after}".replace("listen 1935;", f"listen 127.0.0.1:{port};")
    return re.sub(r"pid .*;", f"pid {folder}/nginx.pid;", text)


def write_prometheus(folder: Path, ports: Ports) -> Path:
    """Write the settings and rules of deploy/prometheus into a folder; return the settings' path."""
    folder.mkdir(exist_ok=True)
    shutil.copy(DEPLOY / "prometheus/alerts.yml", folder)
    text = (DEPLOY / "prometheus/prometheus.yml").read_text()
    # The stack's coordinator signs tickets itself.
    text = re.sub(r"  - job_name: signer\n.*\n", "", text)
    for target, port in (
        ("coordinator:9100", ports.coordinator_metrics),
        ("node:9200", ports.node_metrics),
        ("auditor:9300", ports.auditor_metrics),
    ):
        text = text.replace(f'"{target}"', f'"127.0.0.1:{port}"')
    settings = folder / "prometheus.yml"
    settings.write_text(text)
    return settings


def write_grafana(folder: Path, ports: Ports) -> Path:
    """Write what is provisioned, with the dashboards where they are in deploy/; return its folder."""
    provisioning = folder / "provisioning"
    shutil.copytree(DEPLOY / "grafana/provisioning", provisioning, dirs_exist_ok=True)
    for name, theirs, ours in (
        ("datasources/prometheus.yml", "prometheus:9090", f"127.0.0.1:{ports.prometheus}"),
        ("dashboards/streamrp2p.yml", "/var/lib/grafana", str(DEPLOY / "grafana")),
    ):
        path = provisioning / name
        path.write_text(path.read_text().replace(theirs, ours))
    return provisioning
