"""nginx serves the player's page with the settings of its container, to be framed by any site."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from streamrp2p_origin.listening import is_listening
from tests.support.nginx import require_nginx
from tests.support.origin import wait_for
from tests.support.ports import find_free_port

DEPLOY = Path(__file__).parents[2] / "deploy"

pytestmark = pytest.mark.integration


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that nginx's worker reaches, who is another user; pytest's own are closed."""
    with TemporaryDirectory(prefix="streamrp2p-web-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture
def site(folder: Path) -> Iterator[str]:
    """Serve a page and a script of it; their content is the player's own matter."""
    require_nginx()
    (folder / "assets").mkdir()
    (folder / "embed.html").write_text("<title>Live stream</title>")
    (folder / "assets/embed-1.js").write_text("export {};")
    port = find_free_port()
    settings = (
        (DEPLOY / "web.conf")
        .read_text()
        .replace("listen 8300;", f"listen 127.0.0.1:{port};")
        .replace("/tmp/", f"{folder}/")  # noqa: S108 - the container's own
        .replace("/srv/player", str(folder))
    )
    config = folder / "web.conf"
    config.write_text(settings)
    command = ["nginx", "-p", str(folder), "-c", str(config), "-e", "stderr"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: process.poll() is not None or is_listening(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def test_pages_are_asked_for_again_and_named_files_are_kept(site: str) -> None:
    page = httpx.get(f"{site}/?pool=1")
    assert page.text == "<title>Live stream</title>"
    assert page.headers["Cache-Control"] == "no-cache"
    assert "X-Frame-Options" not in page.headers
    script = httpx.get(f"{site}/assets/embed-1.js")
    assert "immutable" in script.headers["Cache-Control"]
    assert "javascript" in script.headers["Content-Type"]
    for answer in (page, script):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    missing = httpx.get(f"{site}/assets/other.js")
    assert (missing.status_code, missing.headers.get("Cache-Control")) == (404, None)


def test_the_container_serves_what_the_settings_name() -> None:
    container = (DEPLOY / "web.Containerfile").read_text()
    assert "COPY deploy/web.conf /etc/nginx/web.conf" in container
    assert "web/dist/embed /srv/player" in container
    assert "-c" in container.rpartition("ENTRYPOINT")[2]
