// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookWithdrawBondTest is ProtocolTest {
    function test_RevertWhen_TheCallerIsNotThePoster() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotPoster.selector, stranger));
        vm.prank(stranger);
        book.withdrawBond();
    }

    function test_RevertWhen_AHeaderIsPending() public {
        _commitUpTo(3);
        skip(CHALLENGE_SECONDS);
        book.finalise(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_BondInUse.selector, 1, 3));
        vm.prank(poster);
        book.withdrawBond();
    }

    function test_RevertWhen_ThereIsNoBond() public {
        vm.prank(poster);
        book.withdrawBond();
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NothingToWithdraw.selector, poster));
        vm.prank(poster);
        book.withdrawBond();
    }

    function test_TheBondBecomesCredit() public {
        _commitUpTo(2);
        _finaliseAll();
        vm.expectEmit(address(book));
        emit IEpochBook.BondWithdrawn(poster, BOND);
        vm.prank(poster);
        book.withdrawBond();
        assertEq(book.bond(), 0);
        assertFalse(book.isBonded());
        assertEq(book.creditOf(poster), BOND);
        vm.prank(poster);
        book.withdrawCredit(alice);
        assertEq(alice.balance, BOND);
    }
}
