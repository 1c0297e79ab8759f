// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { SumTree } from "../../../contracts/libraries/SumTree.sol";

/// @notice Sum trees. Keccak is any function that never gives two inputs one output; trees are as deep as the proof says.
contract SumTreeProof {
    function check_AnInnerNodeAddsExactlyOrReverts(SumNode calldata left, SumNode calldata right)
        external
        view
    {
        bool overflows = uint256(left.sum) + right.sum > type(uint128).max;
        try this.inner(left, right) returns (SumNode memory node) {
            assert(!overflows);
            assert(node.sum == uint256(left.sum) + right.sum);
            assert(
                node.hash
                    == keccak256(
                        bytes.concat(hex"01", left.hash, bytes16(left.sum), right.hash, bytes16(right.sum))
                    )
            );
        } catch {
            assert(overflows);
        }
    }

    function check_ALeafIsNoInnerNode(
        bytes32 digest,
        uint128 sum,
        SumNode calldata left,
        SumNode calldata right
    ) external pure {
        assert(SumTree.leaf(digest, sum).hash != SumTree.inner(left, right).hash);
    }

    function check_NothingHashesToPadding(
        bytes32 digest,
        uint128 sum,
        SumNode calldata left,
        SumNode calldata right
    ) external pure {
        assert(SumTree.leaf(digest, sum).hash != 0);
        assert(SumTree.inner(left, right).hash != 0);
    }

    /// @custom:halmos --array-lengths path={0,1,2,3,4}
    function check_APathLeadsToTheTopOfPlainHashingAndAddingOrReverts(
        SumNode calldata leaf,
        uint256 index,
        uint32 count,
        SumNode[] calldata path
    ) external view {
        index = _known(index, path.length);
        require(_fits(index, count, path.length));
        bytes32 hash = leaf.hash;
        uint256 sum = leaf.sum;
        for (uint256 i; i < path.length; ++i) {
            bytes memory own = bytes.concat(hash, bytes16(uint128(sum)));
            bytes memory sibling = bytes.concat(path[i].hash, bytes16(path[i].sum));
            hash = (index >> i) % 2 == 0
                ? keccak256(bytes.concat(hex"01", own, sibling))
                : keccak256(bytes.concat(hex"01", sibling, own));
            sum += path[i].sum;
        }
        try this.rootFromPath(leaf, index, count, path) returns (SumNode memory top) {
            assert(top.sum == sum);
            assert(top.hash == hash);
        } catch {
            assert(sum > type(uint128).max);
        }
    }

    /// @dev So the root, its sum and its count say what every leaf is, whatever paths are shown.
    /// @custom:halmos --array-lengths path={0,1,2},other={0,1,2}
    function check_APlaceHoldsOneLeaf(
        SumNode calldata root,
        uint256 index,
        uint32 count,
        SumNode calldata leaf,
        SumNode[] calldata path,
        SumNode calldata otherLeaf,
        SumNode[] calldata other
    ) external pure {
        index = _known(index, path.length);
        SumTree.requireLeaf(root, leaf, index, count, path);
        SumTree.requireLeaf(root, otherLeaf, index, count, other);
        assert(leaf.hash == otherLeaf.hash && leaf.sum == otherLeaf.sum);
        assert(keccak256(abi.encode(path)) == keccak256(abi.encode(other)));
    }

    /// @dev The same of every node, also over padding.
    /// @custom:halmos --array-lengths path={0,1,2},other={0,1,2}
    function check_APlaceHoldsOneNode(
        uint8 level,
        uint256 index,
        uint32 count,
        SumNode calldata node,
        SumNode[] calldata path,
        SumNode calldata otherNode,
        SumNode[] calldata other
    ) external pure {
        index = _known(index, path.length);
        SumNode memory top = SumTree.rootFromNode(node, level, index, count, path);
        SumNode memory otherTop = SumTree.rootFromNode(otherNode, level, index, count, other);
        require(top.hash == otherTop.hash && top.sum == otherTop.sum);
        assert(node.hash == otherNode.hash && node.sum == otherNode.sum);
        assert(keccak256(abi.encode(path)) == keccak256(abi.encode(other)));
    }

    function check_PaddingHoldsNothing(uint8 level) external pure {
        require(level <= 3);
        SumNode memory expected;
        for (uint256 i; i < level; ++i) {
            expected.hash =
                keccak256(bytes.concat(hex"01", expected.hash, bytes16(0), expected.hash, bytes16(0)));
        }
        SumNode memory node = SumTree.padding(level);
        assert(node.hash == expected.hash && node.sum == 0);
    }

    function inner(SumNode calldata left, SumNode calldata right) external pure returns (SumNode memory) {
        return SumTree.inner(left, right);
    }

    function rootFromPath(SumNode calldata leaf, uint256 index, uint256 count, SumNode[] calldata path)
        external
        pure
        returns (SumNode memory)
    {
        return SumTree.rootFromPath(leaf, index, count, path);
    }

    /// @dev Which `TreeDepthProof` proves to be what the tree asks for.
    function _fits(uint256 index, uint256 count, uint256 length) private pure returns (bool) {
        return index < count && count <= 2 ** length && (length == 0 || 2 ** (length - 1) < count);
    }

    /// @dev The same index, but known on each way through the proof: the tree uses its bits as places in memory.
    function _known(uint256 index, uint256 depth) private pure returns (uint256) {
        for (uint256 i; i < 2 ** depth; ++i) {
            if (index == i) return i;
        }
        revert();
    }
}
