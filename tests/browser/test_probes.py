"""Hidden probes look like a browser: what one sends is what they send, once more in each run.

It has a live stack of its own: what a relay was paid here must not be found at it by others.
"""

import re

import pytest

from streamrp2p_demo.layout import loopback
from tests.browser.live_stack import LiveStack
from tests.browser.watching import CHOICE, Watching
from tests.coordinator.probed import RECORDED, Front, kind_of
from tests.support.loopback import http_server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(480)]


def test_probes_send_what_this_browser_sends(live: LiveStack, watching: Watching) -> None:
    relay = live.relays[-1]
    front = Front(loopback(relay.port))
    with http_server(front.handler(), live.stack.ports.proxy):
        live.run_only(relay)
        watching.choose(CHOICE)
        watching.watch(5)
        watching.close()
    sent = [each for each in front.requests if "Origin" in dict(each.headers)]
    assert {kind_of(each) for each in sent} == RECORDED["orders"].keys()
    for each in sent:
        assert [name for name, _ in each.headers] == RECORDED["orders"][kind_of(each)], each
        for name, value in each.headers:
            # A page and a relay of this machine are one site; versions go on.
            if name in RECORDED["values"] and name not in ("Sec-Fetch-Site", "sec-ch-ua"):
                shown = value.replace("HeadlessChrome", "Chrome")
                assert re.sub(r"\d+", "1", shown) == re.sub(r"\d+", "1", RECORDED["values"][name])
