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

    /*//////////////////////////////////////////////////////////////////////////
                                       RANGES
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_ARangeIsEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_EmptyRange.selector));
        harness.rangeRoot(new bytes32[](0), 0, 5, new bytes32[](3));
    }

    function testFuzz_RevertWhen_ARangeReachesBeyondTheCount(uint256 count, uint256 first, uint256 width)
        public
    {
        count = bound(count, 0, 64);
        first = bound(first, 0, 64);
        width = bound(width, first < count ? count - first + 1 : 1, 65);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, first + width - 1, count)
        );
        harness.rangeRoot(new bytes32[](width), first, count, new bytes32[](0));
    }

    function testFuzz_RevertWhen_ARangePathHasAnotherLength(
        uint256 count,
        uint256 first,
        uint256 width,
        uint256 length
    ) public {
        (count, first, width) = _bounded(count, first, width);
        length = bound(length, 0, 16);
        uint256 needed = ReferenceTrees.rangePath(_leaves(count), first, width).length;
        vm.assume(length != needed);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, length, needed));
        harness.rangeRoot(_part(_leaves(count), first, width), first, count, new bytes32[](length));
    }

    function testFuzz_EveryRangeLeadsToTheRoot(uint256 count, uint256 first, uint256 width) public view {
        (count, first, width) = _bounded(count, first, width);
        bytes32[] memory leaves = _leaves(count);
        bytes32[] memory path = ReferenceTrees.rangePath(leaves, first, width);
        bytes32 root = harness.rangeRoot(_part(leaves, first, width), first, count, path);
        assertEq(root, ReferenceTrees.root(leaves));
    }

    /// @dev The path of one leaf is its range path.
    function testFuzz_ARangeOfOneIsALeaf(uint256 count, uint256 index) public view {
        count = bound(count, 1, 64);
        index = bound(index, 0, count - 1);
        bytes32[] memory leaves = _leaves(count);
        bytes32[] memory path = ReferenceTrees.path(leaves, index);
        assertEq(abi.encode(ReferenceTrees.rangePath(leaves, index, 1)), abi.encode(path));
        bytes32 root = harness.rangeRoot(_part(leaves, index, 1), index, count, path);
        assertEq(root, harness.plainRoot(leaves[index], index, count, path));
    }

    function testFuzz_ARangeAtAnotherPlaceLeadsElsewhere(
        uint256 count,
        uint256 first,
        uint256 width,
        uint256 other
    ) public view {
        (count, first, width) = _bounded(count, first, width);
        other = bound(other, 0, count - width);
        vm.assume(other != first);
        bytes32[] memory leaves = _leaves(count);
        bytes32[] memory path = ReferenceTrees.rangePath(leaves, first, width);
        uint256 needed = ReferenceTrees.rangePath(leaves, other, width).length;
        bytes32 root = harness.rangeRoot(
            _part(leaves, first, width), other, count, ReferenceTrees.resized(path, needed)
        );
        assertNotEq(root, ReferenceTrees.root(leaves));
    }

    function testFuzz_AnotherLeafOrSiblingLeadsElsewhere(
        uint256 count,
        uint256 first,
        uint256 width,
        uint256 place
    ) public view {
        (count, first, width) = _bounded(count, first, width);
        bytes32[] memory leaves = _leaves(count);
        bytes32[] memory path = ReferenceTrees.rangePath(leaves, first, width);
        bytes32[] memory part = _part(leaves, first, width);
        place = bound(place, 0, width + path.length - 1);
        if (place < width) part[place] = keccak256("another");
        else path[place - width] = keccak256("another");
        assertNotEq(harness.rangeRoot(part, first, count, path), ReferenceTrees.root(leaves));
    }

    /// @dev Inner nodes in the place of leaves would be a shallower tree: the count keeps them out.
    function test_RevertWhen_InnerNodesPoseAsARange() public {
        bytes32[] memory leaves = _leaves(8);
        bytes32[] memory inner = new bytes32[](2);
        inner[0] = keccak256(bytes.concat(leaves[0], leaves[1]));
        inner[1] = keccak256(bytes.concat(leaves[2], leaves[3]));
        bytes32[] memory path = ReferenceTrees.rangePath(leaves, 0, 4);
        assertEq(path.length, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, 1, 2));
        harness.rangeRoot(inner, 0, 8, path);
    }

    function test_AWholeTreeNeedsNoPathButItsPadding() public view {
        bytes32[] memory leaves = _leaves(5);
        bytes32[] memory path = ReferenceTrees.rangePath(leaves, 0, 5);
        assertEq(path.length, 2);
        assertEq(path[0], bytes32(0));
        assertEq(path[1], keccak256(new bytes(64)));
        assertEq(harness.rangeRoot(leaves, 0, 5, path), ReferenceTrees.root(leaves));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       LEAVES
    //////////////////////////////////////////////////////////////////////////*/

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

    function _bounded(uint256 count, uint256 first, uint256 width)
        private
        pure
        returns (uint256, uint256, uint256)
    {
        count = bound(count, 1, 64);
        first = bound(first, 0, count - 1);
        return (count, first, bound(width, 1, count - first));
    }

    function _part(bytes32[] memory leaves, uint256 first, uint256 width)
        private
        pure
        returns (bytes32[] memory part)
    {
        part = new bytes32[](width);
        for (uint256 i; i < width; ++i) {
            part[i] = leaves[first + i];
        }
    }

    function _leaves(uint256 count) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(i));
        }
    }
}
