// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TypedData } from "../../../contracts/libraries/TypedData.sol";
import { EpochHeader } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookViewsTest is ProtocolTest {
    function test_EpochsFollowEachOtherWithoutAGap() public {
        assertEq(book.epochStart(0), GENESIS);
        assertEq(book.epochEnd(0), GENESIS + 3600);
        assertEq(book.epochStart(7), book.epochEnd(6));

        vm.warp(GENESIS + 3599);
        assertEq(book.currentEpoch(), 0);
        vm.warp(GENESIS + 3600);
        assertEq(book.currentEpoch(), 1);
    }

    function test_TheCurrentEpochIsZeroBeforeGenesis() public {
        vm.warp(GENESIS - 1);
        assertEq(book.currentEpoch(), 0);
    }

    function testFuzz_ATimeIsInsideItsEpoch(uint256 timestamp) public {
        timestamp = bound(timestamp, GENESIS, GENESIS + 100 * 365 days);
        vm.warp(timestamp);
        uint64 epoch = book.currentEpoch();
        assertLe(book.epochStart(epoch), timestamp);
        assertLt(timestamp, book.epochEnd(epoch));
    }

    function test_AHeaderIsUnknownThenPendingThenFinal() public {
        EpochHeader memory header = _header(0);
        bytes32 headerHash = _hash(header);
        _expectCommitment(0, 0, false);
        assertFalse(book.isPending(0, headerHash));

        _commit(header);
        _expectCommitment(bytes28(headerHash), _opensAt(0), false);
        assertTrue(book.isPending(0, headerHash));
        assertFalse(book.isFinal(0, headerHash));
        assertFalse(book.isPending(0, keccak256("other")));

        _finaliseAll();
        _expectCommitment(bytes28(headerHash), 0, true);
        assertFalse(book.isPending(0, headerHash));
        assertTrue(book.isFinal(0, headerHash));
        assertFalse(book.isFinal(0, keccak256("other")));
        assertFalse(book.isFinal(1, headerHash));
    }

    function test_AVoidedHeaderIsForgotten() public {
        EpochHeader memory header = _header(0);
        bytes32 headerHash = _commit(header);
        vm.prank(guardian);
        book.veto(0);
        _expectCommitment(0, 0, false);
        assertFalse(book.isPending(0, headerHash));
        assertFalse(book.isFinal(0, headerHash));
    }

    function test_NothingIsFinalInAnEmptyBook() public view {
        assertFalse(book.isFinal(0, 0));
        assertFalse(book.isFinal(0, bytes32(uint256(type(uint32).max))));
        assertFalse(book.isPending(0, 0));
    }

    function test_TheDomainIsOfThisChainAndBook() public {
        bytes32 expected = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("StreamrP2P"),
                keccak256("1"),
                block.chainid,
                address(book)
            )
        );
        assertEq(book.domainSeparator(), expected);
        vm.chainId(block.chainid + 1);
        assertTrue(book.domainSeparator() != expected);
        assertEq(book.domainSeparator(), TypedData.domainSeparator(address(book)));
    }

    function _expectCommitment(bytes28 digest, uint256 committedAt, bool finalised) private view {
        (bytes28 actualDigest, uint256 actualTime, bool actualFinal) = book.commitment(0);
        assertEq(bytes32(actualDigest), bytes32(digest));
        assertEq(actualTime, committedAt);
        assertEq(actualFinal, finalised);
    }
}
