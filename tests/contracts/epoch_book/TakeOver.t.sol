// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookTakeOverTest is ProtocolTest {
    function setUp() public override {
        super.setUp();
        vm.deal(alice, 10 * BOND);
        vm.deal(guardian, 10 * BOND);
    }

    function test_RevertWhen_ThePosterIsActive() public {
        _commitUpTo(1);
        uint256 until = _opensAt(0) + TIMEOUT_SECONDS;
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_PosterActive.selector, until));
        vm.prank(alice);
        book.takeOver{ value: BOND }();
    }

    function test_RevertWhen_ThePosterHadNoTimeYet() public {
        vm.warp(GENESIS + TIMEOUT_SECONDS - 1);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.EpochBook_PosterActive.selector, GENESIS + TIMEOUT_SECONDS)
        );
        vm.prank(alice);
        book.takeOver{ value: BOND }();
    }

    function test_RevertWhen_TheCallerIsTheGuardian() public {
        skip(TIMEOUT_SECONDS);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_GuardianCannotPost.selector, guardian));
        vm.prank(guardian);
        book.takeOver{ value: BOND }();
    }

    function test_RevertWhen_TheCallerIsThePoster() public {
        skip(TIMEOUT_SECONDS);
        vm.deal(poster, BOND);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_AlreadyPoster.selector, poster));
        vm.prank(poster);
        book.takeOver{ value: BOND }();
    }

    function test_RevertWhen_TheBondIsTooSmall() public {
        skip(TIMEOUT_SECONDS);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_InsufficientBond.selector, BOND - 1, BOND));
        vm.prank(alice);
        book.takeOver{ value: BOND - 1 }();
    }

    function test_RevertWhen_AnotherTookOverBefore() public {
        skip(TIMEOUT_SECONDS);
        vm.prank(alice);
        book.takeOver{ value: BOND }();
        vm.deal(bob, BOND);
        vm.expectPartialRevert(Errors.EpochBook_PosterActive.selector);
        vm.prank(bob);
        book.takeOver{ value: BOND }();
    }

    function test_TheCallerIsThePosterAndTheFormersBondItsCredit() public {
        skip(TIMEOUT_SECONDS);
        vm.expectEmit(address(book));
        emit IEpochBook.PosterChanged(poster, alice);
        vm.prank(alice);
        book.takeOver{ value: BOND + 1 }();

        assertEq(book.poster(), alice);
        assertEq(book.bond(), BOND + 1);
        assertEq(book.creditOf(poster), BOND);
        assertEq(address(book).balance, 2 * BOND + 1);
        assertEq(book.lastActivityAt(), GENESIS + TIMEOUT_SECONDS);
        _commit(_header(0));

        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotPoster.selector, poster));
        vm.prank(poster);
        book.postBond();
    }

    function test_AFormerPosterWithoutABondGetsNothing() public {
        _commitUpTo(1);
        vm.prank(challenges);
        book.void(0, challenger);
        skip(TIMEOUT_SECONDS);
        vm.prank(alice);
        book.takeOver{ value: BOND }();
        assertEq(book.creditOf(poster), 0);
        assertTrue(book.isBonded());
    }

    /// @dev Else the new poster's bond would stand for headers of the former one, whose own bond is gone.
    function test_PendingHeadersAreFinalBeforeThePosterChanges() public {
        _commitUpTo(3);
        skip(TIMEOUT_SECONDS);
        vm.prank(alice);
        book.takeOver{ value: BOND }();
        assertEq(book.finalisedEpochs(), 3);
        assertTrue(book.isFinal(0, headerHashes[0]));
        assertTrue(book.isFinal(2, headerHashes[2]));

        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotPending.selector, 2));
        vm.prank(challenges);
        book.void(2, challenger);
        assertEq(book.bond(), BOND);
    }

    function test_ALeftoverOfAVoidedHeaderIsNotMadeFinal() public {
        _commitUpTo(3);
        vm.prank(guardian);
        book.veto(1);
        skip(TIMEOUT_SECONDS);
        vm.prank(alice);
        book.takeOver{ value: BOND }();
        assertTrue(book.isFinal(0, headerHashes[0]));
        assertFalse(book.isFinal(1, headerHashes[1]));
        assertFalse(book.isFinal(2, headerHashes[2]));
        assertEq(book.nextEpoch(), 1);
    }

    function test_TheFormerPosterMayReturnLater() public {
        skip(TIMEOUT_SECONDS);
        vm.prank(alice);
        book.takeOver{ value: BOND }();
        skip(TIMEOUT_SECONDS);
        vm.deal(poster, BOND);
        vm.prank(poster);
        book.takeOver{ value: BOND }();
        assertEq(book.poster(), poster);
        assertEq(book.creditOf(poster), BOND);
        assertEq(book.creditOf(alice), BOND);
        assertEq(book.bond(), BOND);
    }
}
