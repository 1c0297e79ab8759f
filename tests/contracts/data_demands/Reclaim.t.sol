// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { DemandTest, Grown } from "../utils/DemandTest.sol";

contract DataDemandsReclaimTest is DemandTest {
    function test_RevertWhen_NobodyDemanded() public {
        _expectNotOpen(_chunk(_sound(IDataDemands.Tree.Claims, 9), 0, 0));
    }

    function test_RevertWhen_TheHeaderStands() public {
        IDataDemands.Chunk memory chunk = _open();
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_HeaderStands.selector, 0));
            demands.reclaim(chunk);
            skip(RESPONSE_SECONDS);
        }
    }

    function test_RevertWhen_ItWasAnswered() public {
        Grown memory grown = _sound(IDataDemands.Tree.Claims, 9);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, 0);
        _answer(grown, chunk);
        _finaliseAll();
        _expectNotOpen(chunk);
    }

    function test_RevertWhen_ItWasReclaimed() public {
        IDataDemands.Chunk memory chunk = _open();
        vm.prank(guardian);
        book.veto(0);
        demands.reclaim(chunk);
        _expectNotOpen(chunk);
        assertEq(demands.creditOf(challenger), DEMAND_BOND);
    }

    function test_RevertWhen_ItExpired() public {
        IDataDemands.Chunk memory chunk = _open();
        skip(RESPONSE_SECONDS);
        demands.expire(chunk);
        _expectNotOpen(chunk);
    }

    function test_GivesTheBondBackAfterAVeto() public {
        IDataDemands.Chunk memory chunk = _open();
        vm.prank(guardian);
        book.veto(0);
        _reclaim(chunk);
    }

    function test_GivesTheBondBackAfterAProofOfFraud() public {
        IDataDemands.Chunk memory chunk = _open();
        vm.prank(challenges);
        book.void(0, alice);
        _reclaim(chunk);
    }

    function test_GivesTheBondBackOnceTheHeaderIsFinal() public {
        IDataDemands.Chunk memory chunk = _open();
        _finaliseAll();
        _reclaim(chunk);
    }

    function test_GivesTheBondBackOnceAnotherCommitStands() public {
        Grown memory grown = _sound(IDataDemands.Tree.Claims, 9);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, 0);
        vm.prank(guardian);
        book.veto(0);
        skip(1);
        _commit(grown.header);
        _reclaim(chunk);
        assertTrue(book.isPending(0, chunk.headerHash));
    }

    function _open() private returns (IDataDemands.Chunk memory) {
        return _demanded(_sound(IDataDemands.Tree.Claims, 9), 0, 0);
    }

    function _reclaim(IDataDemands.Chunk memory chunk) private {
        bytes32 demandId = demands.demandIdOf(chunk);
        vm.expectEmit(address(demands));
        emit IDataDemands.DemandReclaimed(demandId, challenger);
        vm.prank(stranger);
        demands.reclaim(chunk);
        assertEq(demands.creditOf(challenger), DEMAND_BOND);
        assertEq(demands.creditOf(stranger), 0);
        (address demander,) = demands.demandOf(demandId);
        assertEq(demander, address(0));
    }

    function _expectNotOpen(IDataDemands.Chunk memory chunk) private {
        bytes32 demandId = demands.demandIdOf(chunk);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_NotOpen.selector, demandId));
        demands.reclaim(chunk);
    }
}
