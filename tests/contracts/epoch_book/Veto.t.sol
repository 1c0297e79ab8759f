// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookVetoTest is ProtocolTest {
    function test_RevertWhen_TheCallerIsNotTheGuardian() public {
        _commitUpTo(1);
        address[3] memory callers = [poster, challenges, stranger];
        for (uint256 i; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotGuardian.selector, callers[i]));
            vm.prank(callers[i]);
            book.veto(0);
        }
    }

    function test_RevertWhen_TheHeaderIsFinal() public {
        _commitUpTo(1);
        _finaliseAll();
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotPending.selector, 0));
        vm.prank(guardian);
        book.veto(0);
    }

    function test_RevertWhen_NoHeaderIsCommitted() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotPending.selector, 0));
        vm.prank(guardian);
        book.veto(0);
    }

    function test_VoidsTheHeaderAndItsDescendantsAndTakesNoBond() public {
        _commitUpTo(4);
        vm.expectEmit(address(book));
        emit IEpochBook.HeadersVetoed(1, 3, guardian);
        vm.prank(guardian);
        book.veto(1);
        assertEq(book.nextEpoch(), 1);
        assertEq(book.bond(), BOND);
        assertTrue(book.isBonded());
    }

    function test_ThePosterMayCommitAnother() public {
        _commitUpTo(2);
        vm.prank(guardian);
        book.veto(1);
        bytes32 headerHash = _commit(_header(1));
        assertTrue(book.isPending(1, headerHash));
    }
}
