// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { HeaderLib } from "../../../contracts/libraries/HeaderLib.sol";
import { EpochHeader } from "../../../contracts/libraries/ProtocolTypes.sol";
import { LibraryHarness } from "../utils/LibraryHarness.sol";
import { Test } from "../utils/Test.sol";

contract HeaderLibTest is Test {
    LibraryHarness private harness;

    function setUp() public {
        harness = new LibraryHarness();
    }

    function testFuzz_TheHashIsThatOfTheEncoding(EpochHeader memory header) public view {
        bytes memory encoded = HeaderLib.encode(header);
        assertEq(encoded.length, 160);
        assertEq(harness.hashHeader(header), keccak256(encoded));
    }

    function testFuzz_EachFieldCounts(EpochHeader memory header) public view {
        bytes32 before = harness.hashHeader(header);
        bytes32[] memory hashes = new bytes32[](8);
        unchecked {
            header.epoch ^= 1;
            hashes[0] = harness.hashHeader(header);
            header.parent ^= bytes32(uint256(1));
            hashes[1] = harness.hashHeader(header);
            header.poolsRoot ^= bytes32(uint256(1));
            hashes[2] = harness.hashHeader(header);
            header.poolCount ^= 1;
            hashes[3] = harness.hashHeader(header);
            header.weight ^= 1;
            hashes[4] = harness.hashHeader(header);
            header.claimsRoot ^= bytes32(uint256(1));
            hashes[5] = harness.hashHeader(header);
            header.claimCount ^= 1;
            hashes[6] = harness.hashHeader(header);
            header.dataHash ^= bytes32(uint256(1));
            hashes[7] = harness.hashHeader(header);
        }
        for (uint256 i; i < 8; ++i) {
            assertTrue(hashes[i] != before);
            before = hashes[i];
        }
    }

    function test_ANarrowFieldMustBeClean() public view {
        EpochHeader memory header;
        bytes memory data = abi.encodeCall(harness.hashHeader, (header));
        // The highest byte of each narrow word: epoch, poolCount, weight, claimCount.
        uint256[4] memory words = [uint256(0), 3, 4, 6];
        for (uint256 i; i < words.length; ++i) {
            bytes memory dirty = bytes.concat(data);
            dirty[4 + 32 * words[i]] = 0x01;
            (bool done,) = address(harness).staticcall(dirty);
            assertFalse(done);
        }
    }
}
