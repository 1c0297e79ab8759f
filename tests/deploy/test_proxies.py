"""nginx takes the settings that the guides show, with certificates and a port of the test's own."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.nginx import require_nginx
from tests.support.ports import find_free_port

GUIDES = Path(__file__).parents[2] / "docs/guides"
BLOCK = re.compile(r"^```nginx\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """Return each block of nginx's settings for HTTP, with its guide's name."""
    return [
        (guide.stem, block)
        for guide in sorted(GUIDES.glob("*.md"))
        for block in BLOCK.findall(guide.read_text())
        if "proxy_pass" in block
    ]


def test_coordinator_and_node_have_a_block_each() -> None:
    assert [guide for guide, _ in blocks()] == ["node-operator", "operation"]


@pytest.mark.integration
@pytest.mark.parametrize(("guide", "block"), blocks(), ids=[guide for guide, _ in blocks()])
def test_nginx_takes_the_block(guide: str, block: str, tmp_path: Path) -> None:
    require_nginx()
    certificate, key = Authority(tmp_path).issue("server", ["localhost"])
    settings, certificates = re.subn(
        r"/etc/letsencrypt/\S+\.pem",
        lambda found: str(key if "privkey" in found[0] else certificate),
        block,
    )
    settings, ports = re.subn(r"\blisten 443\b", f"listen 127.0.0.1:{find_free_port()}", settings)
    assert (certificates, ports) == (2, 1)
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"pid {tmp_path}/nginx.pid; events {{}} http {{ access_log off; {settings} }}"
    )
    run = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-c", config, "-e", "stderr"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
