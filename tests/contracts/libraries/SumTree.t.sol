// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { NodeRow, PoolRow, SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { SumTree } from "../../../contracts/libraries/SumTree.sol";
import { LibraryHarness } from "../utils/LibraryHarness.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";
import { Test } from "../utils/Test.sol";

contract MemoryProbe {
    /// @return moved How far the free memory pointer moved.
    /// @return zero What the zero slot holds.
    function climb(SumNode calldata node, uint256 index, uint256 count, SumNode[] calldata path)
        external
        pure
        returns (uint256 moved, uint256 zero)
    {
        assembly ("memory-safe") {
            moved := mload(0x40)
        }
        SumTree.rootFromPath(node, index, count, path);
        assembly ("memory-safe") {
            moved := sub(mload(0x40), moved)
            zero := mload(0x60)
        }
    }
}

contract SumTreeTest is Test {
    LibraryHarness private harness;

    function setUp() public {
        harness = new LibraryHarness();
    }

    function test_RevertWhen_TwoSumsOverflow() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.SumTree_Overflow.selector));
        harness.sumInner(SumNode("a", type(uint128).max), SumNode("b", 1));
    }

    function test_TheLargestSumIsAllowed() public view {
        SumNode memory node = harness.sumInner(SumNode("a", type(uint128).max - 1), SumNode("b", 1));
        assertEq(node.sum, type(uint128).max);
    }

    function test_RevertWhen_TheSumOfThePathOverflows() public {
        SumNode[] memory path = new SumNode[](2);
        (path[0], path[1]) = (SumNode("a", type(uint128).max - 5), SumNode("b", 5));
        vm.expectRevert(abi.encodeWithSelector(Errors.SumTree_Overflow.selector));
        harness.sumRoot(SumNode("leaf", 1), 0, 3, path);
    }

    /// @dev The hash holds the sums, so a sum cannot be changed without the hash.
    function testFuzz_RevertWhen_ASiblingsSumIsAnother(uint256 level, uint128 wrong) public {
        SumNode[] memory leaves = _leaves(6);
        SumNode memory root = ReferenceTrees.root(leaves);
        SumNode[] memory path = ReferenceTrees.path(leaves, 2);
        level = bound(level, 0, 2);
        wrong = uint128(bound(wrong, 0, type(uint64).max));
        vm.assume(path[level].sum != wrong);
        path[level].sum = wrong;
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, root.hash));
        harness.requireSumLeaf(root, leaves[2], 2, 6, path);
    }

    function test_RevertWhen_TheRootsSumIsAnother() public {
        SumNode[] memory leaves = _leaves(6);
        SumNode memory root = ReferenceTrees.root(leaves);
        SumNode[] memory path = ReferenceTrees.path(leaves, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.SumTree_SumMismatch.selector, root.sum, root.sum - 1));
        harness.requireSumLeaf(SumNode(root.hash, root.sum - 1), leaves[2], 2, 6, path);
    }

    /// @dev The first byte keeps them apart, and the depth keeps the path away.
    function test_RevertWhen_AnInnerNodePosesAsALeaf() public {
        SumNode[] memory leaves = _leaves(4);
        SumNode memory root = ReferenceTrees.root(leaves);
        SumNode memory innerNode = SumTree.inner(leaves[0], leaves[1]);
        SumNode[] memory path = new SumNode[](1);
        path[0] = SumTree.inner(leaves[2], leaves[3]);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, 1, 2));
        harness.requireSumLeaf(root, innerNode, 0, 4, path);
        // With another count the path fits; but the count stands beside the root in what is hashed above.
        harness.requireSumLeaf(root, innerNode, 0, 2, path);
    }

    function test_RevertWhen_TheIndexPointsAtPadding() public {
        SumNode[] memory path = ReferenceTrees.path(_leaves(5), 4);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 5, 5));
        harness.sumRoot(SumNode(0, 0), 5, 5, path);
    }

    function testFuzz_EveryLeafLeadsToTheRoot(uint64[] memory sums, uint256 index) public view {
        vm.assume(sums.length != 0);
        index = bound(index, 0, sums.length - 1);
        SumNode[] memory leaves = new SumNode[](sums.length);
        uint256 total;
        for (uint256 i; i < sums.length; ++i) {
            leaves[i] = SumTree.leaf(keccak256(abi.encode(i)), sums[i]);
            total += sums[i];
        }
        SumNode memory root = ReferenceTrees.root(leaves);
        assertEq(root.sum, total);
        harness.requireSumLeaf(root, leaves[index], index, leaves.length, ReferenceTrees.path(leaves, index));
    }

    /// @dev The loop against the rule, step by step, with any siblings: also where a sum overflows.
    function testFuzz_APathIsClimbedByTheRule(SumNode memory leaf, SumNode[] memory path, uint256 index)
        public
    {
        uint256 depth = path.length < 32 ? path.length : 32;
        assembly ("memory-safe") {
            mstore(path, depth)
        }
        index = bound(index, 0, (1 << depth) - 1);
        SumNode memory top = leaf;
        uint256 sum = leaf.sum;
        for (uint256 i; i < depth; ++i) {
            // Small ones too, or nearly all would overflow.
            if (uint256(path[i].hash) % 8 != 0) path[i].sum >>= 16;
            sum += path[i].sum;
            if (sum > type(uint128).max) {
                vm.expectRevert(abi.encodeWithSelector(Errors.SumTree_Overflow.selector));
                harness.sumRoot(leaf, index, 1 << depth, path);
                return;
            }
            top = (index >> i) & 1 == 0 ? SumTree.inner(top, path[i]) : SumTree.inner(path[i], top);
        }
        assertEq(abi.encode(harness.sumRoot(leaf, index, 1 << depth, path)), abi.encode(top));
    }

    /// @dev A sum of more than 128 bits would be hashed without its upper ones.
    function testFuzz_RevertWhen_ASiblingsSumHasMoreThan128Bits(uint256 bits) public {
        bits = bound(bits, 128, 255);
        SumNode[] memory leaves = _leaves(2);
        SumNode[] memory path = ReferenceTrees.path(leaves, 0);
        SumNode memory sibling = path[0];
        assembly ("memory-safe") {
            let sum := add(sibling, 0x20)
            mstore(sum, or(mload(sum), shl(bits, 1)))
        }
        bytes memory data = abi.encodePacked(
            LibraryHarness.sumRoot.selector,
            abi.encode(leaves[0]),
            abi.encode(uint256(0), uint256(2), uint256(0xa0), uint256(1), sibling.hash)
        );
        bytes32 word;
        assembly ("memory-safe") {
            word := mload(add(sibling, 0x20))
        }
        (bool done, bytes memory reason) = address(harness).call(bytes.concat(data, word));
        assertFalse(done);
        assertEq(reason, abi.encodeWithSelector(Errors.SumTree_Overflow.selector));
    }

    /// @dev What is hashed lies over the free memory pointer and the zero slot for a while.
    function test_TheMemoryIsAsBeforeTheClimb() public {
        MemoryProbe probe = new MemoryProbe();
        for (uint256 count = 1; count <= 8; ++count) {
            SumNode[] memory leaves = _leaves(count);
            for (uint256 i; i < count; ++i) {
                (uint256 moved, uint256 zero) =
                    probe.climb(leaves[i], i, count, ReferenceTrees.path(leaves, i));
                assertLt(moved, 0x200);
                assertEq(zero, 0);
            }
        }
    }

    function testFuzz_ALeafIsItsDigestAndSum(bytes32 digest, uint128 sum) public pure {
        SumNode memory node = SumTree.leaf(digest, sum);
        assertEq(node.hash, keccak256(bytes.concat(hex"00", digest, bytes16(sum))));
        assertEq(node.sum, sum);
    }

    function testFuzz_RowsAre88Bytes(NodeRow memory node, PoolRow memory pool) public pure {
        bytes memory encodedNode = bytes.concat(
            bytes20(node.node),
            node.sessionsRoot,
            bytes4(node.sessionCount),
            bytes16(node.weight),
            bytes16(node.reward)
        );
        bytes memory encodedPool = bytes.concat(
            bytes4(pool.poolId),
            pool.nodesRoot,
            bytes4(pool.nodeCount),
            bytes16(pool.weight),
            bytes16(pool.spend),
            bytes16(pool.cumulativeSpend)
        );
        assertEq(encodedNode.length, 88);
        assertEq(encodedPool.length, 88);
        assertEq(SumTree.encode(node), encodedNode);
        assertEq(SumTree.encode(pool), encodedPool);
        assertEq(SumTree.leafOf(node).sum, node.weight);
        assertEq(SumTree.leafOf(pool).sum, pool.weight);
    }

    function _leaves(uint256 count) private pure returns (SumNode[] memory leaves) {
        leaves = new SumNode[](count);
        for (uint256 i; i < count; ++i) {
            leaves[i] = SumTree.leaf(keccak256(abi.encode(i)), uint128(100 + i));
        }
    }
}
