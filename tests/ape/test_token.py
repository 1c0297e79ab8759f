"""Ape compiles with the pinned compiler, starts anvil and deploys: the way of the deployment scripts."""

import pytest
from ape.api.accounts import TestAccountAPI
from ape.managers.project import LocalProject

pytestmark = pytest.mark.integration

SUPPLY_WEI = 10**27


def test_token_can_be_deployed_and_sent(
    project: LocalProject, accounts: list[TestAccountAPI]
) -> None:
    owner, receiver = accounts[0], accounts[1]
    token = owner.deploy(project.StreamToken, owner, SUPPLY_WEI)
    token.transfer(receiver, 5, sender=owner)
    assert token.symbol() == "SRP"
    assert token.balanceOf(receiver) == 5
    assert token.balanceOf(owner) == SUPPLY_WEI - 5
