// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { WordList } from "../../../contracts/libraries/WordList.sol";
import { Test } from "../utils/Test.sol";

contract WordListTest is Test {
    using WordList for uint256[];

    function testFuzz_KeepsWhatWasPushedAndNothingElse(uint256[] memory words) public pure {
        uint256[] memory list = WordList.withCapacity(words.length);
        uint256[] memory neighbour = WordList.withCapacity(1);
        neighbour.push(7);
        assertEq(list.length, 0);
        for (uint256 i; i < words.length; ++i) {
            list.push(words[i]);
        }
        assertEq(keccak256(abi.encode(list)), keccak256(abi.encode(words)));
        assertEq(neighbour[0], 7);
    }

    function test_AmountsOfOneKeyAreAdded() public pure {
        uint256[] memory keys = WordList.withCapacity(3);
        uint256[] memory amounts = WordList.withCapacity(3);
        keys.addAmount(amounts, 5, 10);
        keys.addAmount(amounts, 6, 20);
        keys.addAmount(amounts, 5, 30);
        assertEq(keys.length, 2);
        assertEq(keys[0], 5);
        assertEq(amounts[0], 40);
        assertEq(keys[1], 6);
        assertEq(amounts[1], 20);
    }
}
