"""Probes and rates as they are kept."""

import json
from pathlib import Path

from typer.testing import CliRunner

from streamrp2p.numbers import Address, SessionId
from streamrp2p_coordinator.cli import app
from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.probing.outcome import Outcome

NODE, OTHER = Address(b"\x01" * 20), Address(b"\x02" * 20)
ONE, TWO, THREE = (SessionId(bytes([number]) * 32) for number in (1, 2, 3))


def test_a_probe_is_kept_before_its_node_hears_of_it_and_judged_later(database: Database) -> None:
    with database.write() as store:
        first = store.probes.begin(1, NODE, ONE, 1000)
        store.probes.begin(1, OTHER, TWO, 1001)
    with database.write() as store:
        store.probes.end(
            first, Outcome.SLOW, seconds=30, bytes_received=500, bytes_per_second=50,
            evidence={"objects": 2, "fault": "late"},
        )  # fmt: skip

    with database.read() as store:
        under_way, judged = store.probes.newest(10)
        assert (under_way.node, under_way.outcome, under_way.evidence) == (OTHER, Outcome.VOID, {})
        assert (judged.outcome, judged.seconds, judged.bytes_received) == (Outcome.SLOW, 30, 500)
        assert judged.evidence == {"objects": 2, "fault": "late"}
        assert store.probes.newest(1) == [under_way]
        assert store.probes.newest(10, NODE) == [judged]
        assert store.probes.since(1001) == [under_way]
        assert store.probes.sessions(0) == {ONE, TWO}
        assert store.probes.last_of_each_node(0) == {NODE: judged, OTHER: under_way}


def test_the_highest_rate_of_an_epoch_stands(database: Database) -> None:
    with database.write() as store:
        for pool_id, epoch, rate in [(1, 5, 100), (1, 5, 300), (1, 5, 200), (2, 5, 7), (1, 6, 90)]:
            store.probes.keep_rate(pool_id, epoch, rate)

    with database.read() as store:
        assert store.probes.rates(5) == {1: 300, 2: 7}
        assert store.probes.rate(1, 6) == 90
        assert store.probes.rate(2, 6) is None


def test_what_is_old_is_forgotten(database: Database) -> None:
    with database.write() as store:
        store.probes.begin(1, NODE, ONE, 1000)
        store.probes.begin(1, NODE, TWO, 2000)
        store.probes.keep_rate(1, 5, 100)
        store.probes.keep_rate(1, 6, 100)
        store.probes.forget(started_before=1500, before_epoch=6)

    with database.read() as store:
        assert store.probes.sessions(0) == {TWO}
        assert (store.probes.rate(1, 5), store.probes.rate(1, 6)) == (None, 100)


def test_the_operator_sees_probes_newest_first(tmp_path: Path) -> None:
    config = tmp_path / "coordinator.toml"
    config.write_text(
        'rpc_url = "http://127.0.0.1:1"\ndeployment = "d.json"\n'
        'poster_keystore = "p.json"\nticket_signer_keystore = "t.json"\n'
    )
    database = open_database(f"sqlite:///{tmp_path / 'coordinator.db'}")
    migrate(database)
    with database.write() as store:
        store.probes.begin(1, NODE, ONE, 1000)
        store.probes.begin(1, OTHER, TWO, 2000)
    database.close()
    command = ["probes", "--config", str(config)]

    everything = CliRunner().invoke(app, [*command, "--json"])
    one = CliRunner().invoke(app, [*command, "--node", "0x" + "01" * 20])
    wrong = CliRunner().invoke(app, [*command, "--node", "0x01"])

    assert [probe["node"] for probe in json.loads(everything.stdout)] == [
        "0x" + "02" * 20,
        "0x" + "01" * 20,
    ]
    assert one.stdout == (
        "1970-01-01T00:16:40+00:00  0x" + "01" * 20 + "  pool 1  void      0 s  0 bytes  {}\n"
    )
    assert wrong.exit_code == 2
