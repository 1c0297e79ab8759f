// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookFinaliseTest is ProtocolTest {
    function test_RevertWhen_NothingIsPending() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotPending.selector, 0));
        book.finalise(0);
    }

    function test_RevertWhen_AnEarlierHeaderIsPending() public {
        _commitUpTo(2);
        skip(CHALLENGE_SECONDS);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_WrongEpoch.selector, 1, 0));
        book.finalise(1);
    }

    function test_RevertWhen_ItIsFinal() public {
        _commitUpTo(2);
        skip(CHALLENGE_SECONDS);
        book.finalise(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_WrongEpoch.selector, 0, 1));
        book.finalise(0);
    }

    function test_RevertWhen_TheChallengeWindowIsOpen() public {
        _commit(_header(0));
        uint256 until = _opensAt(0) + CHALLENGE_SECONDS;
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_ChallengeWindowOpen.selector, 0, until));
        book.finalise(0);
    }

    function test_TheWindowOfARecommittedHeaderStartsAnew() public {
        _commit(_header(0));
        skip(CHALLENGE_SECONDS - 1);
        vm.prank(guardian);
        book.veto(0);
        uint256 recommittedAt = vm.getBlockTimestamp();
        _commit(_header(0));
        skip(1);
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.EpochBook_ChallengeWindowOpen.selector, 0, recommittedAt + CHALLENGE_SECONDS
            )
        );
        book.finalise(0);
    }

    function test_AnyoneFinalisesInOrder() public {
        _commitUpTo(3);
        skip(CHALLENGE_SECONDS);
        vm.expectEmit(address(book));
        emit IEpochBook.HeaderFinalised(0);
        vm.prank(stranger);
        book.finalise(0);
        assertTrue(book.isFinal(0, headerHashes[0]));
        assertFalse(book.isFinal(1, headerHashes[1]));

        book.finalise(1);
        book.finalise(2);
        assertEq(book.finalisedEpochs(), 3);
        assertEq(book.nextEpoch(), 3);
    }

    function test_AFinalHeaderIsTheParentOfTheNext() public {
        _commit(_header(0));
        _finaliseAll();
        _commit(_header(1));
        assertEq(book.nextEpoch(), 2);
        assertEq(book.finalisedEpochs(), 1);
    }
}
