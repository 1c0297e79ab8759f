// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ReentrantReceiver, RefusingReceiver } from "../utils/EtherReceivers.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookWithdrawCreditTest is ProtocolTest {
    function setUp() public override {
        super.setUp();
        _commitUpTo(1);
    }

    function test_RevertWhen_ThereIsNoCredit() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NothingToWithdraw.selector, stranger));
        vm.prank(stranger);
        book.withdrawCredit(stranger);
    }

    function test_RevertWhen_TheReceiverRefuses() public {
        _void(challenger);
        address receiver = address(new RefusingReceiver());
        vm.expectRevert(
            abi.encodeWithSelector(Errors.EpochBook_WithdrawalFailed.selector, receiver, BOND / 2)
        );
        vm.prank(challenger);
        book.withdrawCredit(receiver);
        assertEq(book.creditOf(challenger), BOND / 2);
    }

    function test_ARefusingChallengerDoesNotStopAVoid() public {
        _void(address(new RefusingReceiver()));
        assertEq(book.nextEpoch(), 0);
    }

    function test_CreditIsPaidOnceWhereItsOwnerSays() public {
        _void(challenger);
        vm.expectEmit(address(book));
        emit IEpochBook.CreditWithdrawn(challenger, alice, BOND / 2);
        vm.prank(challenger);
        book.withdrawCredit(alice);
        assertEq(alice.balance, BOND / 2);
        assertEq(book.creditOf(challenger), 0);
        assertEq(address(book).balance, 0);
    }

    function test_AReceiverThatComesBackGetsNoMore() public {
        ReentrantReceiver receiver = new ReentrantReceiver(book);
        _void(address(receiver));
        _bond(poster);
        receiver.withdraw();
        assertEq(receiver.attempts(), 1);
        assertEq(address(receiver).balance, BOND / 2);
        assertEq(address(book).balance, BOND);
    }

    function _void(address winner) private {
        vm.prank(challenges);
        book.void(0, winner);
    }
}
