// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { PlainTree } from "../../../contracts/libraries/PlainTree.sol";
import { ClaimLeaf } from "../../../contracts/libraries/ProtocolTypes.sol";
import { LibraryHarness } from "../utils/LibraryHarness.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";
import { Test } from "../utils/Test.sol";

contract PlainTreeTest is Test {
    LibraryHarness private harness;

    function setUp() public {
        harness = new LibraryHarness();
    }

    function test_TheDepthIsTheCeilingOfTheLogarithm() public view {
        uint256[2][12] memory expected = [
            [uint256(0), 0],
            [uint256(1), 0],
            [uint256(2), 1],
            [uint256(3), 2],
            [uint256(4), 2],
            [uint256(5), 3],
            [uint256(8), 3],
            [uint256(9), 4],
            [uint256(1) << 20, 20],
            [(uint256(1) << 20) + 1, 21],
            [uint256(type(uint32).max), 32],
            [uint256(1) << 31, 31]
        ];
        for (uint256 i; i < expected.length; ++i) {
            assertEq(harness.depthOf(expected[i][0]), expected[i][1]);
        }
    }

    function test_RevertWhen_TheTreeIsEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 0, 0));
        harness.plainRoot(0, 0, 0, new bytes32[](0));
    }

    function test_RevertWhen_TheIndexPointsAtPadding() public {
        bytes32[] memory path = ReferenceTrees.path(_leaves(5), 4);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 5, 5));
        harness.plainRoot(0, 5, 5, path);
    }

    function testFuzz_RevertWhen_ThePathHasAnotherLength(uint256 count, uint256 index, uint256 length)
        public
    {
        count = bound(count, 1, type(uint32).max);
        index = bound(index, 0, count - 1);
        length = bound(length, 0, 40);
        uint256 depth = harness.depthOf(count);
        if (length == depth) {
            harness.plainRoot(0, index, count, new bytes32[](length));
            return;
        }
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, length, depth));
        harness.plainRoot(0, index, count, new bytes32[](length));
    }

    function testFuzz_RevertWhen_ALeafIsAtAnotherPlace(uint256 count, uint256 first, uint256 second) public {
        count = bound(count, 2, 64);
        first = bound(first, 0, count - 1);
        second = bound(second, 0, count - 1);
        vm.assume(first != second);
        bytes32[] memory leaves = _leaves(count);
        bytes32 root = ReferenceTrees.root(leaves);
        bytes32[] memory path = ReferenceTrees.path(leaves, first);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, root));
        harness.requirePlainLeaf(root, leaves[first], second, count, path);
    }

    function testFuzz_EveryLeafLeadsToTheRoot(bytes32[] memory leaves, uint256 index) public view {
        vm.assume(leaves.length != 0);
        index = bound(index, 0, leaves.length - 1);
        harness.requirePlainLeaf(
            ReferenceTrees.root(leaves),
            leaves[index],
            index,
            leaves.length,
            ReferenceTrees.path(leaves, index)
        );
    }

    function test_OneLeafIsTheRoot() public view {
        bytes32 leaf = keccak256("leaf");
        assertEq(harness.plainRoot(leaf, 0, 1, new bytes32[](0)), leaf);
    }

    function testFuzz_ALeafIsHashedTwice(bytes memory record) public pure {
        assertEq(PlainTree.leafOf(record), keccak256(abi.encodePacked(keccak256(record))));
    }

    function testFuzz_AClaimIsTheAccountAndItsWords(address account, uint256[] memory entries) public view {
        bytes memory record = abi.encodePacked(account, entries);
        assertEq(harness.claimLeafOf(ClaimLeaf(account, entries)), PlainTree.leafOf(record));
    }

    function _leaves(uint256 count) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(i));
        }
    }
}
