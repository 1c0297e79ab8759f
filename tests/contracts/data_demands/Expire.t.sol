// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { RefusingReceiver } from "../utils/EtherReceivers.sol";
import { DemandTest, Grown } from "../utils/DemandTest.sol";

contract DataDemandsExpireTest is DemandTest {
    function test_RevertWhen_NobodyDemanded() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, 9);
        _expectNotOpen(_chunk(grown, 0, 0));
    }

    function test_RevertWhen_ThereIsTimeLeft() public {
        IDataDemands.Chunk memory chunk = _open();
        uint256 answerBy = vm.getBlockTimestamp() + RESPONSE_SECONDS;
        vm.warp(answerBy - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_TimeLeft.selector, answerBy));
        demands.expire(chunk);
    }

    function test_RevertWhen_ItWasAnswered() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, 9);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, 0);
        _answer(grown, chunk);
        skip(RESPONSE_SECONDS);
        _expectNotOpen(chunk);
    }

    function test_RevertWhen_ItExpiredBefore() public {
        IDataDemands.Chunk memory chunk = _open();
        skip(RESPONSE_SECONDS);
        demands.expire(chunk);
        _expectNotOpen(chunk);
    }

    function test_RevertWhen_TheHeaderWasVetoed() public {
        IDataDemands.Chunk memory chunk = _open();
        vm.prank(guardian);
        book.veto(0);
        skip(RESPONSE_SECONDS);
        _expectNotPending(chunk);
    }

    /// @dev The same header again, which nobody demanded anything of: an old demand must not kill it.
    function test_RevertWhen_TheHeaderWasCommittedAgain() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, 9);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, 0);
        vm.prank(guardian);
        book.veto(0);
        skip(1);
        _commit(grown.header);
        skip(RESPONSE_SECONDS);
        _expectNotPending(chunk);
        assertTrue(book.isPending(0, chunk.headerHash));
    }

    function test_RevertWhen_AnotherHeaderWasCommittedInItsPlace() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, 9);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, 0);
        vm.prank(guardian);
        book.veto(0);
        grown.header.dataHash = "other";
        _commit(grown.header);
        skip(RESPONSE_SECONDS);
        _expectNotPending(chunk);
        assertEq(book.nextEpoch(), 1);
    }

    function test_RevertWhen_TheHeaderIsFinal() public {
        IDataDemands.Chunk memory chunk = _open();
        _finaliseAll();
        _expectNotPending(chunk);
    }

    /// @dev The former poster's headers are made final first, so nobody's bond is taken for another's silence.
    function test_RevertWhen_AnotherPosterTookThePlace() public {
        IDataDemands.Chunk memory chunk = _open();
        skip(TIMEOUT_SECONDS);
        hoax(stranger, BOND);
        book.takeOver{ value: BOND }();
        _expectNotPending(chunk);
        assertEq(book.bond(), BOND);
    }

    function test_VoidsTheHeaderForTheDemanderWhoeverCalls() public {
        IDataDemands.Chunk memory chunk = _open();
        _commit(_header(1));
        skip(RESPONSE_SECONDS);
        bytes32 demandId = demands.demandIdOf(chunk);
        vm.expectEmit(address(demands));
        emit IDataDemands.DemandExpired(demandId, challenger);
        vm.expectEmit(address(book));
        emit IEpochBook.HeadersVoided(0, 1, challenger);
        vm.prank(stranger);
        demands.expire(chunk);

        assertEq(book.nextEpoch(), 0);
        assertEq(book.creditOf(challenger), BOND / 2);
        assertEq(book.creditOf(stranger), 0);
        assertEq(demands.creditOf(challenger), DEMAND_BOND);
        (address demander, uint256 answerBy) = demands.demandOf(demandId);
        assertEq(demander, address(0));
        assertEq(answerBy, 0);
    }

    function test_WorksAfterTheWindowUntilSomebodyFinalises() public {
        IDataDemands.Chunk memory chunk = _open();
        skip(10 * CHALLENGE_SECONDS);
        demands.expire(chunk);
        assertEq(book.nextEpoch(), 0);
    }

    function test_ADemanderThatRefusesEtherStopsNothing() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, 9);
        address refusing = address(new RefusingReceiver());
        hoax(refusing, DEMAND_BOND);
        demands.demand{ value: DEMAND_BOND }(grown.header, grown.above, grown.tree, 0, 0);
        skip(RESPONSE_SECONDS);
        demands.expire(_chunk(grown, 0, 0));
        assertEq(book.nextEpoch(), 0);
        assertEq(demands.creditOf(refusing), DEMAND_BOND);
    }

    /// @dev Of two open demands one voids; the other's bond comes back.
    function test_OtherDemandsOfTheHeaderAreReclaimed() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, 9);
        IDataDemands.Chunk memory first = _demanded(grown, 0, 0);
        IDataDemands.Chunk memory second = _demanded(grown, 4, 0);
        skip(RESPONSE_SECONDS);
        demands.expire(first);
        _expectNotPending(second);
        demands.reclaim(second);
        assertEq(demands.creditOf(challenger), 2 * DEMAND_BOND);
    }

    function _open() private returns (IDataDemands.Chunk memory) {
        return _demanded(_sound(IDataDemands.Tree.Nodes, 9), 0, 0);
    }

    function _expectNotOpen(IDataDemands.Chunk memory chunk) private {
        bytes32 demandId = demands.demandIdOf(chunk);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_NotOpen.selector, demandId));
        demands.expire(chunk);
    }

    function _expectNotPending(IDataDemands.Chunk memory chunk) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.DataDemands_HeaderNotPending.selector, chunk.epoch, chunk.headerHash
            )
        );
        demands.expire(chunk);
    }
}
