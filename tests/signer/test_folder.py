"""The settings that a streamer writes."""

from pathlib import Path

import pytest

from streamrp2p_signer.folder import Folder
from streamrp2p_signer.refusals import SignerSetupError

SETTINGS = f"""chain_id = 31337
epoch_book = "0x{"b0" * 20}"
genesis = 0
epoch_seconds = 3600
askers = ["0x{"01" * 20}"]

[pools.1]
max_ticket_bytes = 1000
"""


def written(folder: Path, price_per_gb: str, epoch_budget: str, day_budget: str) -> Folder:
    own = Folder(folder)
    own.settings.write_text(
        f'{SETTINGS}price_per_gb = "{price_per_gb}"\nepoch_budget = "{epoch_budget}"\n'
        f'day_budget = "{day_budget}"\n'
    )
    return own


def test_a_day_may_have_no_more_than_one_epochs_budget(tmp_path: Path) -> None:
    assert written(tmp_path, "1", "5", "5").load_settings().pools[1].day_budget == 5


@pytest.mark.parametrize(
    ("amounts", "told"),
    [
        (("0", "5", "8"), "pools.1.price_per_gb: at a price of 0 no budget binds"),
        (("1", "9", "8"), "pools.1.day_budget: it must not be less than epoch_budget"),
    ],
)
def test_limits_that_would_bind_nothing_are_refused(
    tmp_path: Path, amounts: tuple[str, str, str], told: str
) -> None:
    with pytest.raises(SignerSetupError, match=told):
        written(tmp_path, *amounts).load_settings()
