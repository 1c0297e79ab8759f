// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ReentrantReceiver, RefusingReceiver } from "../utils/EtherReceivers.sol";
import { DemandTest, Grown } from "../utils/DemandTest.sol";

contract DataDemandsWithdrawCreditTest is DemandTest {
    function test_RevertWhen_ThereIsNoCredit() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_NothingToWithdraw.selector, stranger));
        vm.prank(stranger);
        demands.withdrawCredit(stranger);
    }

    function test_RevertWhen_TheReceiverRefuses() public {
        _creditPoster();
        address receiver = address(new RefusingReceiver());
        vm.expectRevert(
            abi.encodeWithSelector(Errors.DataDemands_WithdrawalFailed.selector, receiver, DEMAND_BOND)
        );
        vm.prank(poster);
        demands.withdrawCredit(receiver);
        assertEq(demands.creditOf(poster), DEMAND_BOND);
    }

    function test_CreditIsPaidOnceWhereItsOwnerSays() public {
        _creditPoster();
        vm.expectEmit(address(demands));
        emit IDataDemands.CreditWithdrawn(poster, alice, DEMAND_BOND);
        vm.prank(poster);
        demands.withdrawCredit(alice);
        assertEq(alice.balance, DEMAND_BOND);
        assertEq(demands.creditOf(poster), 0);
        assertEq(address(demands).balance, 0);
    }

    function test_AReceiverThatComesBackGetsNoMore() public {
        Grown memory grown = _sound(IDataDemands.Tree.Pools, 2);
        ReentrantReceiver receiver = new ReentrantReceiver(IEpochBook(address(demands)));
        hoax(address(receiver), DEMAND_BOND);
        demands.demand{ value: DEMAND_BOND }(grown.header, grown.above, grown.tree, 0, 0);
        _demand(grown, 0, 1);
        vm.prank(guardian);
        book.veto(0);
        demands.reclaim(_chunkOf(grown));
        receiver.withdraw();
        assertEq(receiver.attempts(), 1);
        assertEq(address(receiver).balance, DEMAND_BOND);
        assertEq(address(demands).balance, DEMAND_BOND);
    }

    function _creditPoster() private {
        Grown memory grown = _sound(IDataDemands.Tree.Pools, 1);
        _answer(grown, _demanded(grown, 0, 0));
    }

    /// @dev The chunk as it was demanded, although its header fell since.
    function _chunkOf(Grown memory grown) private view returns (IDataDemands.Chunk memory chunk) {
        chunk = _chunk(grown, 0, 0);
        chunk.committedAt = uint64(vm.getBlockTimestamp());
    }
}
