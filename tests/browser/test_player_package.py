"""The player as a package: packed, installed in a site of its own, type-checked, bundled and opened."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import served_folder
from tests.browser.conftest import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

README = (ROOT / "web" / "README.md").read_text()
DEPENDENCIES = ("hls.js", "@noble")
COMPILER = {
    "compilerOptions": {
        "target": "ES2022",
        "module": "ESNext",
        "moduleResolution": "bundler",
        "lib": ["ES2023", "DOM"],
        "types": [],
        "strict": True,
        "noEmit": True,
    },
    "include": ["*.ts"],
}


def example(language: str) -> str:
    """Return the README's first example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def site(player_site: str, tmp_path: Path) -> Path:
    """Make a site with the package in it, and what the package depends on, as npm would put them."""
    assert player_site
    pack: list[str | Path] = [
        "npm",
        "pack",
        "--workspace",
        "web",
        "--pack-destination",
        tmp_path,
        "--silent",
    ]
    subprocess.run(pack, cwd=ROOT, check=True, capture_output=True)
    (tarball,) = tmp_path.glob("*.tgz")
    site = tmp_path / "site"
    installed = site / "node_modules" / "@streamrp2p" / "player"
    installed.mkdir(parents=True)
    unpack: list[str | Path] = [
        "tar",
        "--extract",
        "--file",
        tarball,
        "--strip-components",
        "1",
        "--directory",
        installed,
    ]
    subprocess.run(unpack, check=True)
    for name in DEPENDENCIES:
        (site / "node_modules" / name).symlink_to(ROOT / "node_modules" / name)
    html = example("html")
    script = re.search(r'<script type="module">(.*?)</script>', html, re.DOTALL)
    assert script is not None
    (site / "main.ts").write_text(script[1])
    (site / "watch.ts").write_text(example("ts"))
    (site / "tsconfig.json").write_text(json.dumps(COMPILER))
    page = html.replace(script[0], '<script type="module" src="/main.ts"></script>')
    (site / "index.html").write_text(
        f"<!doctype html><html lang=en><title>A site</title>{page}</html>"
    )
    return site


def test_a_site_can_install_check_and_bundle_it(chromium: Browser, site: Path) -> None:
    subprocess.run(["tsc", "--project", site], check=True)
    subprocess.run(["vite", "build", site, "--logLevel", "warn"], check=True)
    with served_folder(site / "dist") as url:
        page = chromium.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{url}/index.html")
        expect(page.get_by_role("heading", name="Before you watch")).to_be_visible()
        page.close()
    assert complaints == []


def test_it_brings_its_licence_and_those_of_what_lies_inside(site: Path) -> None:
    package = site / "node_modules" / "@streamrp2p" / "player"
    assert json.loads((package / "package.json").read_text())["license"] == "Apache-2.0"
    assert "@noble/curves" in (package / "dist" / "worker.licences.md").read_text()
    assert "hls.js" in (package / "dist" / "embed" / "THIRD-PARTY-LICENCES.md").read_text()
