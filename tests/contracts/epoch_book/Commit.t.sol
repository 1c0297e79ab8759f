// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { EpochHeader } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookCommitTest is ProtocolTest {
    function test_RevertWhen_TheCallerIsNotThePoster() public {
        _warpTo(_opensAt(0));
        EpochHeader memory header = _header(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotPoster.selector, guardian));
        vm.prank(guardian);
        book.commit(header);
    }

    function test_RevertWhen_ThePosterHasNoBond() public {
        vm.prank(poster);
        book.withdrawBond();
        _expectRevert(_header(0), abi.encodeWithSelector(Errors.EpochBook_InsufficientBond.selector, 0, BOND));
    }

    function test_RevertWhen_AnEpochIsSkipped() public {
        _expectRevert(_header(1), abi.encodeWithSelector(Errors.EpochBook_WrongEpoch.selector, 1, 0));
    }

    function test_RevertWhen_TheEpochHasAHeader() public {
        EpochHeader memory header = _header(0);
        _commit(header);
        _expectRevert(header, abi.encodeWithSelector(Errors.EpochBook_WrongEpoch.selector, 0, 1));
    }

    function test_RevertWhen_TheIntakeIsOpen() public {
        uint256 until = GENESIS + 3600 + 600;
        vm.warp(until - 1);
        EpochHeader memory header = _header(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_EpochNotOver.selector, 0, until));
        vm.prank(poster);
        book.commit(header);
    }

    function test_RevertWhen_TheFirstHeaderHasAParent() public {
        EpochHeader memory header = _header(0);
        header.parent = bytes32(uint256(1));
        _expectRevert(
            header, abi.encodeWithSelector(Errors.EpochBook_ParentMismatch.selector, 0, header.parent)
        );
    }

    function test_RevertWhen_TheParentIsAnother() public {
        _commit(_header(0));
        EpochHeader memory header = _header(1);
        header.parent ^= bytes32(uint256(1) << 32);
        _expectRevert(
            header, abi.encodeWithSelector(Errors.EpochBook_ParentMismatch.selector, 1, header.parent)
        );
    }

    function test_RevertWhen_TheParentWasVoided() public {
        _commit(_header(0));
        EpochHeader memory child = _header(1);
        vm.prank(guardian);
        book.veto(0);
        EpochHeader memory other = _header(0);
        other.dataHash = keccak256("corrected");
        _commit(other);
        _expectRevert(
            child, abi.encodeWithSelector(Errors.EpochBook_ParentMismatch.selector, 1, child.parent)
        );
    }

    function test_RevertWhen_ANarrowFieldIsTooWide() public {
        _warpTo(_opensAt(0));
        bytes memory data = abi.encodeCall(book.commit, (_header(0)));
        // The weight: the fifth word after the selector. Its high half must be empty.
        data[4 + 4 * 32] = 0x01;
        vm.prank(poster);
        (bool done, bytes memory reason) = address(book).call(data);
        assertFalse(done);
        assertEq(reason.length, 0);
    }

    function test_KeepsTheHashAndTheTime() public {
        vm.warp(_opensAt(0) + 5);
        EpochHeader memory header = _header(0);
        vm.expectEmit(address(book));
        emit IEpochBook.HeaderCommitted(0, _hash(header), poster, header);
        vm.prank(poster);
        book.commit(header);

        (bytes28 digest, uint256 committedAt, bool finalised) = book.commitment(0);
        assertEq(bytes32(digest), bytes32(bytes28(_hash(header))));
        assertEq(committedAt, _opensAt(0) + 5);
        assertFalse(finalised);
        assertEq(book.nextEpoch(), 1);
        assertEq(book.finalisedEpochs(), 0);
        assertEq(book.lastActivityAt(), _opensAt(0) + 5);
    }

    function test_HeadersFollowEachOther() public {
        _commitUpTo(5);
        assertEq(book.nextEpoch(), 5);
    }

    function testFuzz_HashesEveryField(EpochHeader memory header) public {
        header.epoch = 0;
        header.parent = 0;
        bytes32 headerHash = _commit(header);
        assertTrue(book.isPending(0, headerHash));
    }

    function _expectRevert(EpochHeader memory header, bytes memory reason) private {
        _warpTo(_opensAt(header.epoch));
        vm.expectRevert(reason);
        vm.prank(poster);
        book.commit(header);
    }
}
