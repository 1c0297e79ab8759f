"""The names that dashboards and alerts hold on to."""

import re

import pytest

from scripts.generators.metrics import registries, shown

UNITS = ("bytes", "seconds", "blocks", "epochs", "wei", "objects", "total")


@pytest.mark.parametrize("actor", ["coordinator", "node", "auditor"])
def test_every_metric_is_named_by_actor_subject_and_unit(actor: str) -> None:
    found = [one for one in shown(registries()[actor]) if not one.name.startswith("process_")]
    assert len(found) > 5
    for one in found:
        assert re.fullmatch(rf"streamrp2p_{actor}_[a-z]+(_[a-z]+)*", one.name), one
        assert one.help.endswith("."), one
        assert (one.kind == "counter") == one.name.endswith("_total"), one
        if one.kind == "histogram":
            assert one.name.endswith(UNITS), one
    assert len({one.name for one in found}) == len(found)


def test_every_actor_shows_what_its_process_takes() -> None:
    for registry in registries().values():
        assert "process_resident_memory_bytes" in {one.name for one in shown(registry)}
