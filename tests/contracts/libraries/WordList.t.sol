// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { WordList } from "../../../contracts/libraries/WordList.sol";
import { Test } from "../utils/Test.sol";

contract WordListTest is Test {
    using WordList for uint256[];

    function testFuzz_BothListsKeepWhatWasPushedAndNothingElse(uint256[] memory words) public pure {
        (uint256[] memory paid, uint256[] memory sums) = WordList.forClaim(words.length);
        uint256[] memory neighbour = new uint256[](1);
        neighbour[0] = 7;
        assertEq(paid.length + sums.length, 0);
        for (uint256 i; i < words.length; ++i) {
            paid.push(words[i]);
            // Keys that differ fill the list to its capacity.
            sums.addTo(i, words[i]);
        }
        assertEq(keccak256(abi.encode(paid)), keccak256(abi.encode(words)));
        assertEq(sums.length, 2 * words.length);
        for (uint256 i; i < words.length; ++i) {
            (uint256 key, uint256 sum) = sums.pairAt(2 * i);
            assertEq(key, i);
            assertEq(sum, words[i]);
        }
        assertEq(neighbour.length, 1);
        assertEq(neighbour[0], 7);
    }

    /// @dev `RewardPools` writes an event's head there.
    function test_TwoWordsInFrontOfTheFirstListAreFree() public pure {
        uint256[] memory before = new uint256[](1);
        before[0] = 7;
        (uint256[] memory paid,) = WordList.forClaim(1);
        uint256 gap;
        assembly ("memory-safe") {
            gap := sub(paid, add(before, 0x40))
        }
        assertEq(gap, 0x40);
    }

    function test_SumsOfOneKeyAreAdded() public pure {
        (, uint256[] memory sums) = WordList.forClaim(3);
        sums.addTo(5, 10);
        sums.addTo(6, 20);
        sums.addTo(5, 30);
        assertEq(sums.length, 4);
        assertEq(abi.encodePacked(sums), abi.encode(5, 40, 6, 20));
    }

    function test_RevertWhen_ASumOverflows() public {
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        this.addTwice(type(uint256).max, 1);
    }

    function testFuzz_CallDataIsReadWordByWord(uint256[] calldata words) public pure {
        for (uint256 i; i < words.length; ++i) {
            assertEq(WordList.read(words, i), words[i]);
        }
    }

    function addTwice(uint256 first, uint256 second) external pure {
        (, uint256[] memory sums) = WordList.forClaim(1);
        sums.addTo(1, first);
        sums.addTo(1, second);
    }
}
