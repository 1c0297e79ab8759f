// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "../interfaces/IChallenges.sol";
import { Errors } from "../libraries/Errors.sol";
import { EpochHeader, RecordLeaf, SumNode, SumNodeAt } from "../libraries/ProtocolTypes.sol";
import { Rows } from "../libraries/Rows.sol";
import { SumTree } from "../libraries/SumTree.sol";
import { ChallengeBase } from "./ChallengeBase.sol";

/// @title TreeChallenges
/// @notice Fraud proofs about the shape of a sum tree: the order of its leaves and the sums of its nodes.
abstract contract TreeChallenges is ChallengeBase {
    using Rows for Rows.Tree;

    /// @inheritdoc IChallenges
    function badOrder(
        EpochHeader calldata header,
        RecordLeaf[] calldata above,
        RecordLeaf calldata left,
        RecordLeaf calldata right
    ) external override onlyPending(header) {
        if (uint256(left.index) + 1 != right.index) {
            revert Errors.Challenges_WrongLeaf();
        }
        Rows.Tree memory tree = Rows.treeUnder(header, above);
        _voidIf(_keyOf(tree, above.length, left) >= _keyOf(tree, above.length, right), header);
    }

    /// @inheritdoc IChallenges
    function badSum(
        EpochHeader calldata header,
        RecordLeaf[] calldata above,
        SumNodeAt calldata place,
        bytes calldata preimage
    ) external override onlyPending(header) {
        Rows.Tree memory tree = Rows.treeUnder(header, above);
        SumTree.requireNode(tree.top, place, tree.count);
        _voidIf(_isMisplaced(place, tree.count, preimage, above.length), header);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The key of a leaf, which must be one of the tree.
    /// @param rows How many rows stand above the tree, which tells what its leaves are.
    function _keyOf(Rows.Tree memory tree, uint256 rows, RecordLeaf calldata leaf)
        private
        pure
        returns (uint256)
    {
        if (rows == 0) return tree.requirePool(leaf).poolId;
        if (rows == 1) return uint160(tree.requireNode(leaf).node);
        return uint256(tree.requireSession(leaf).receipt.sessionId);
    }

    /// @dev Whether the preimage, or none, shows that the node cannot stand there. The kinds of node have preimages of
    /// other lengths and first bytes, so a right node has none of those that show it wrong.
    function _isMisplaced(SumNodeAt calldata place, uint256 count, bytes calldata preimage, uint256 rows)
        private
        pure
        returns (bool)
    {
        uint256 level = place.level;
        SumNode calldata node = place.node;
        if (preimage.length == 0) {
            bool overPadding = uint256(place.index) << level >= count;
            // Beside an empty hash there may stand a sum that is not.
            return overPadding ? node.hash != SumTree.padding(level).hash || node.sum != 0 : node.hash == 0;
        }
        if (preimage.length == Rows.LENGTH) return _isWrongRow(node, preimage, rows);
        if (keccak256(preimage) != node.hash) return false;
        if (preimage.length == SumTree.INNER_LENGTH) {
            return level == 0 || !SumTree.isInner(preimage, node.sum);
        }
        if (preimage.length == SumTree.LEAF_LENGTH) return level != 0 || !SumTree.isLeaf(preimage, node.sum);
        return false;
    }

    /// @dev Whether the node is the leaf of that row with another sum than the row's weight.
    function _isWrongRow(SumNode calldata node, bytes calldata record, uint256 rows)
        private
        pure
        returns (bool)
    {
        if (rows > 1 || SumTree.leafHash(keccak256(record), node.sum) != node.hash) return false;
        uint128 weight = rows == 0 ? Rows.decodePool(record).weight : Rows.decodeNode(record).weight;
        return weight != node.sum;
    }
}
