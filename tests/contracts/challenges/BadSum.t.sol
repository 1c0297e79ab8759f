// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { PoolRow, RecordLeaf, SumNode, SumNodeAt } from "../../../contracts/libraries/ProtocolTypes.sol";
import { SessionRecordLib } from "../../../contracts/libraries/SessionRecordLib.sol";
import { SumTree } from "../../../contracts/libraries/SumTree.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees, NodeEpoch } from "../utils/EpochData.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";

/// @dev Most is made wrong in the tree of the five sessions of the second pool's node. It has 8 places: 3 leaves of padding,
/// of which the last two have a parent over padding alone.
contract BadSumTest is ChallengeTest {
    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheHeaderIsNotPending() public {
        (, Epoch memory epoch) = _epochs();
        SumNodeAt memory place = _place(EpochTrees.poolLeaves(epoch), 0, 0);
        _expectNotPending(epoch.header);
        proofs.badSum(epoch.header, EpochTrees.above(), place, "");
    }

    function test_RevertWhen_TheTreesAreHonest() public {
        (, Epoch memory epoch) = _committed();
        _sweep(epoch, EpochTrees.above(), EpochTrees.poolLeaves(epoch));
        _sweep(epoch, EpochTrees.above(epoch, 0), EpochTrees.nodeLeaves(epoch.pools[0]));
        _sweep(epoch, EpochTrees.above(epoch, 1), EpochTrees.nodeLeaves(epoch.pools[1]));
        _sweep(epoch, EpochTrees.above(epoch, 2), EpochTrees.nodeLeaves(epoch.pools[2]));
        for (uint256 n; n < 3; ++n) {
            NodeEpoch memory node = epoch.pools[0].nodes[n];
            _sweep(epoch, EpochTrees.above(epoch, 0, n), EpochTrees.sessionLeaves(node));
        }
        _sweep(epoch, EpochTrees.above(epoch, 1, 0), EpochTrees.sessionLeaves(epoch.pools[1].nodes[0]));
    }

    function test_RevertWhen_ThePreimageIsOfALeafOrRowThatIsRight() public {
        (, Epoch memory epoch) = _committed();
        for (uint256 i; i < 3; ++i) {
            PoolRow memory row = epoch.pools[i].row;
            bytes memory record = SumTree.encode(row);
            SumNodeAt memory place = _place(EpochTrees.poolLeaves(epoch), 0, i);
            _expectNothingWrong();
            proofs.badSum(epoch.header, EpochTrees.above(), place, record);
            _expectNothingWrong();
            proofs.badSum(epoch.header, EpochTrees.above(), place, _leafPreimage(record, row.weight));
        }
        SumNodeAt memory node = _place(EpochTrees.nodeLeaves(epoch.pools[0]), 0, 1);
        bytes memory nodeRecord = SumTree.encode(epoch.pools[0].nodes[1].row);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 0);
        _expectNothingWrong();
        proofs.badSum(epoch.header, rows, node, nodeRecord);
        // Read as a pool's row it would have another weight, but there stand nodes.
        _expectNothingWrong();
        proofs.badSum(epoch.header, rows, node, SumTree.encode(epoch.pools[0].row));
    }

    function test_RevertWhen_ThePreimageIsAnothers() public {
        (, Epoch memory epoch) = _committed();
        NodeEpoch memory node = epoch.pools[1].nodes[0];
        SumNode[] memory leaves = EpochTrees.sessionLeaves(node);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 1, 0);
        bytes[5] memory others = [
            _leafPreimage(SessionRecordLib.encode(node.records[1]), node.sums[1]),
            ReferenceTrees.innerPreimage(leaves[2], leaves[3]),
            SumTree.encode(epoch.pools[0].row),
            bytes("x"),
            SessionRecordLib.encode(node.records[0])
        ];
        for (uint256 i; i < others.length; ++i) {
            for (uint256 level; level < 4; ++level) {
                SumNodeAt memory place = _place(leaves, level, 0);
                _expectNothingWrong();
                proofs.badSum(epoch.header, rows, place, others[i]);
            }
        }
    }

    function test_RevertWhen_TheNodeIsNotInTheTree() public {
        (, Epoch memory epoch) = _committed();
        SumNode[] memory leaves = EpochTrees.sessionLeaves(epoch.pools[1].nodes[0]);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 1, 0);
        bytes32 root = epoch.pools[1].nodes[0].row.sessionsRoot;
        SumNodeAt memory place = _place(leaves, 1, 0);

        place.node.sum += 1;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, root));
        proofs.badSum(epoch.header, rows, place, "");
        place = _place(leaves, 1, 0);
        place.index = 1;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, root));
        proofs.badSum(epoch.header, rows, place, "");
        place.index = 4;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_NoSuchNode.selector, 1, 4));
        proofs.badSum(epoch.header, rows, place, "");
        (place.index, place.level) = (0, 2);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, 2, 1));
        proofs.badSum(epoch.header, rows, place, "");
        place.level = 4;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_NoSuchNode.selector, 4, 0));
        proofs.badSum(epoch.header, rows, place, "");
        place.level = 255;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_NoSuchNode.selector, 255, 0));
        proofs.badSum(epoch.header, rows, place, "");
    }

    /// @dev The top's hash fits; its sum stands in the row.
    function test_RevertWhen_TheTopsSumIsNotTheRows() public {
        (, Epoch memory epoch) = _committed();
        SumNodeAt memory place = _place(EpochTrees.poolLeaves(epoch), 2, 0);
        place.node.sum += 1;
        _expectRevert(
            abi.encodeWithSelector(
                Errors.SumTree_SumMismatch.selector, epoch.header.weight + 1, epoch.header.weight
            )
        );
        proofs.badSum(epoch.header, EpochTrees.above(), place, "");
    }

    /// @dev Its own preimage is right: the node above it is to be shown.
    function test_RevertWhen_TheNodeIsUnderTheWrongOne() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        SumNode memory wrong = ReferenceTrees.nodeAt(leaves, 1, 0);
        wrong.sum += 1;
        _put(epoch, leaves, wrong, 1, 0);
        SumNodeAt memory place = _place(leaves, 0, 0);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 1, 0);
        bytes32 root = epoch.pools[1].nodes[0].row.sessionsRoot;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, root));
        proofs.badSum(epoch.header, rows, place, "");
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      WRONG SUMS
    //////////////////////////////////////////////////////////////////////////*/

    function test_AnInnerNodeAtEachLevel() public {
        for (uint256 level = 1; level < 4; ++level) {
            for (uint256 index; index < 8 >> level; ++index) {
                for (uint256 more; more < 2; ++more) {
                    uint256 id = vm.snapshotState();
                    (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
                    SumNode memory node = ReferenceTrees.nodeAt(leaves, level, index);
                    // Also over padding alone, whose sum cannot be less than it is.
                    node.sum = more == 1 || node.sum == 0 ? node.sum + 1 : node.sum - 1;
                    _put(epoch, leaves, node, level, index);
                    _prove(epoch, leaves, node, level, index, _inner(leaves, level, index));
                    vm.revertToState(id);
                }
            }
        }
    }

    function test_ALeaf() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        NodeEpoch memory node = epoch.pools[1].nodes[0];
        bytes memory preimage = _leafPreimage(SessionRecordLib.encode(node.records[4]), node.sums[4]);
        leaves[4].sum += 1;
        _put(epoch, leaves, leaves[4], 0, 4);
        _prove(epoch, leaves, leaves[4], 0, 4, preimage);
    }

    /// @dev The children's sums are added with all their bits.
    function test_ChildrenWhoseSumsOverflow() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        bytes memory preimage =
            ReferenceTrees.innerPreimage(SumNode("left", type(uint128).max), SumNode("right", 8));
        SumNode memory node = SumNode(keccak256(preimage), 7);
        _put(epoch, leaves, node, 1, 1);
        _prove(epoch, leaves, node, 1, 1, preimage);
    }

    /// @dev The wrong leaf's own sum is right as the tree has it: it is the record's that is not.
    function test_APoolsRow() public {
        (, Epoch memory epoch) = _epochs();
        bytes memory record = SumTree.encode(epoch.pools[1].row);
        SumNode[] memory leaves = EpochTrees.poolLeaves(epoch);
        leaves[1] = ReferenceTrees.leaf(record, epoch.pools[1].row.weight - 1);
        SumNode memory top = ReferenceTrees.root(leaves);
        (epoch.header.poolsRoot, epoch.header.weight) = (top.hash, top.sum);
        _commit(epoch.header);
        SumNodeAt memory place = _place(leaves, 0, 1);
        _expectVoid(1);
        proofs.badSum(epoch.header, EpochTrees.above(), place, record);
    }

    function test_ANodesRow() public {
        (, Epoch memory epoch) = _epochs();
        bytes memory record = SumTree.encode(epoch.pools[0].nodes[2].row);
        SumNode[] memory leaves = EpochTrees.nodeLeaves(epoch.pools[0]);
        leaves[2] = ReferenceTrees.leaf(record, epoch.pools[0].nodes[2].row.weight + 1);
        SumNode memory top = ReferenceTrees.root(leaves);
        (epoch.pools[0].row.nodesRoot, epoch.pools[0].row.weight) = (top.hash, top.sum);
        EpochTrees.buildPools(epoch);
        _commit(epoch.header);
        SumNodeAt memory place = _place(leaves, 0, 2);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 0);
        _expectVoid(1);
        proofs.badSum(epoch.header, rows, place, record);
    }

    /// @dev The row and the root beneath it.
    function test_AWeightThatIsNotTheSumOfTheTreeBelow() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        SumNode memory top = ReferenceTrees.root(leaves);
        top.sum += 1;
        _put(epoch, leaves, top, 3, 0);
        assertEq(epoch.pools[1].nodes[0].row.weight, top.sum);
        _prove(epoch, leaves, top, 3, 0, _inner(leaves, 3, 0));
    }

    function test_APoolsWeightThatIsNotItsNodes() public {
        (, Epoch memory epoch) = _epochs();
        SumNode[] memory leaves = EpochTrees.nodeLeaves(epoch.pools[0]);
        epoch.pools[0].row.weight -= 1;
        EpochTrees.buildPools(epoch);
        _commit(epoch.header);
        SumNodeAt memory place = _place(leaves, 2, 0);
        place.node.sum -= 1;
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 0);
        bytes memory preimage = _inner(leaves, 2, 0);
        _expectVoid(1);
        proofs.badSum(epoch.header, rows, place, preimage);
    }

    /// @dev A tree of one leaf has no inner node: its leaf's sum is the row's weight.
    function test_AWeightThatIsNotTheOnlyLeafs() public {
        (, Epoch memory epoch) = _epochs();
        NodeEpoch memory node = epoch.pools[0].nodes[1];
        node.row.weight += 1;
        EpochTrees.buildNodes(epoch.pools[0]);
        EpochTrees.buildPools(epoch);
        _commit(epoch.header);
        SumNodeAt memory place = _place(EpochTrees.sessionLeaves(node), 0, 0);
        place.node.sum += 1;
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 0, 1);
        bytes memory preimage = _leafPreimage(SessionRecordLib.encode(node.records[0]), node.sums[0]);
        _expectVoid(1);
        proofs.badSum(epoch.header, rows, place, preimage);
    }

    function test_AHeadersWeight() public {
        (, Epoch memory epoch) = _epochs();
        SumNode[] memory leaves = EpochTrees.poolLeaves(epoch);
        epoch.header.weight += 1;
        _commit(epoch.header);
        SumNodeAt memory place = _place(leaves, 2, 0);
        place.node.sum += 1;
        bytes memory preimage = _inner(leaves, 2, 0);
        _expectVoid(1);
        proofs.badSum(epoch.header, EpochTrees.above(), place, preimage);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      WRONG KINDS
    //////////////////////////////////////////////////////////////////////////*/

    function test_AnInnerNodeInThePlaceOfALeaf() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        SumNode memory node = ReferenceTrees.nodeAt(leaves, 1, 0);
        _put(epoch, leaves, node, 0, 4);
        _prove(epoch, leaves, node, 0, 4, _inner(leaves, 1, 0));
    }

    function test_ALeafInThePlaceOfAnInnerNode() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        NodeEpoch memory node = epoch.pools[1].nodes[0];
        bytes memory preimage = _leafPreimage(SessionRecordLib.encode(node.records[3]), node.sums[3]);
        _put(epoch, leaves, leaves[3], 1, 1);
        _prove(epoch, leaves, leaves[3], 1, 1, preimage);
    }

    function test_ALeafWithTheFirstByteOfAnInnerNode() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        bytes memory preimage = bytes.concat(hex"01", bytes32("digest"), bytes16(uint128(5)));
        SumNode memory node = SumNode(keccak256(preimage), 5);
        _put(epoch, leaves, node, 0, 1);
        _prove(epoch, leaves, node, 0, 1, preimage);
    }

    function test_AnInnerNodeWithAnotherFirstByte() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        bytes memory preimage = _inner(leaves, 1, 1);
        preimage[0] = 0x02;
        SumNode memory node = SumNode(keccak256(preimage), ReferenceTrees.nodeAt(leaves, 1, 1).sum);
        _put(epoch, leaves, node, 1, 1);
        _prove(epoch, leaves, node, 1, 1, preimage);
    }

    function test_AnEmptyLeafBelowTheCount() public {
        for (uint256 index; index < 5; ++index) {
            uint256 id = vm.snapshotState();
            (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
            _put(epoch, leaves, SumNode(0, 0), 0, index);
            _prove(epoch, leaves, SumNode(0, 0), 0, index, "");
            vm.revertToState(id);
        }
    }

    function test_AnEmptyLeafBelowTheCountWithASum() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        SumNode memory node = SumNode(0, leaves[0].sum);
        _put(epoch, leaves, node, 0, 0);
        _prove(epoch, leaves, node, 0, 0, "");
    }

    function test_AnInnerNodeOfHashZero() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        SumNode memory node = SumNode(0, 5);
        _put(epoch, leaves, node, 2, 1);
        _prove(epoch, leaves, node, 2, 1, "");
    }

    function test_ACountThatIsTooHigh() public {
        (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
        epoch.pools[1].nodes[0].row.sessionCount = 6;
        EpochTrees.buildNodes(epoch.pools[1]);
        EpochTrees.buildPools(epoch);
        _commit(epoch.header);
        SumNodeAt memory place = _place(leaves, 0, 5);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 1, 0);
        _expectVoid(1);
        proofs.badSum(epoch.header, rows, place, "");
    }

    function test_PaddingThatIsNotEmpty() public {
        SumNode[5] memory wrong = [
            ReferenceTrees.leaf("hidden", 0),
            SumNode(0, 7),
            SumNode("padding", 0),
            SumNode(0, 0),
            SumNode(keccak256(new bytes(97)), 0)
        ];
        for (uint256 i; i < wrong.length; ++i) {
            for (uint256 place; place < 4; ++place) {
                uint256 id = vm.snapshotState();
                (uint256 level, uint256 index) = place < 3 ? (0, 5 + place) : (1, 3);
                // Empty it is right for a leaf, but not for the node over two.
                if (level == 0 && wrong[i].hash == 0 && wrong[i].sum == 0) continue;
                (, Epoch memory epoch, SumNode[] memory leaves) = _sessions();
                _put(epoch, leaves, wrong[i], level, index);
                _prove(epoch, leaves, wrong[i], level, index, "");
                vm.revertToState(id);
            }
        }
    }

    function test_ATopOverNothing() public {
        SumNode[2] memory wrong = [SumNode("root", 0), SumNode(0, 1)];
        for (uint256 i; i < 2; ++i) {
            uint256 id = vm.snapshotState();
            (, Epoch memory epoch) = _epochs();
            (epoch.pools[2].row.nodesRoot, epoch.pools[2].row.weight) = (wrong[i].hash, wrong[i].sum);
            EpochTrees.buildPools(epoch);
            _commit(epoch.header);
            RecordLeaf[] memory rows = EpochTrees.above(epoch, 2);
            _expectVoid(1);
            proofs.badSum(epoch.header, rows, SumNodeAt(wrong[i], 0, 0, new SumNode[](0)), "");
            vm.revertToState(id);
        }
    }

    function test_ATopOverNoPool() public {
        (, Epoch memory epoch) = _epochs();
        (epoch.header.poolCount, epoch.header.poolsRoot, epoch.header.weight) = (0, 0, 1);
        _commit(epoch.header);
        _expectVoid(1);
        proofs.badSum(epoch.header, EpochTrees.above(), SumNodeAt(SumNode(0, 1), 0, 0, new SumNode[](0)), "");
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     LARGEST TREES
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The tree with the most leaves has one leaf of padding.
    function test_ThePaddingOfTheLargestTree() public {
        _large(type(uint32).max, 0, type(uint32).max, SumNode("leaf", 1), true);
        _large(type(uint32).max, 0, type(uint32).max, SumNode(0, 0), false);
        _large(type(uint32).max, 0, type(uint32).max - 1, SumNode("leaf", 1), false);
        _large(type(uint32).max, 0, type(uint32).max - 1, SumNode(0, 0), true);
        _large(type(uint32).max, 31, 1, SumNode("inner", 1), false);
    }

    /// @dev Half of it and one more: a quarter is padding alone.
    function test_ThePaddingOfALargeTree() public {
        uint32 count = (1 << 31) + 1;
        _large(count, 30, 3, SumNode("inner", 0), true);
        _large(count, 30, 3, SumTree.padding(30), false);
        _large(count, 30, 3, SumNode(SumTree.padding(30).hash, 1), true);
        _large(count, 30, 3, SumTree.padding(29), true);
        _large(count, 31, 1, SumNode("inner", 0), false);
        _large(count, 0, 1 << 31, SumNode("leaf", 0), false);
        _large(count, 0, (1 << 31) + 1, SumNode("leaf", 0), true);
    }

    /// @dev A power of two has no padding at all.
    function test_ATreeWithoutPadding() public {
        _large(1 << 31, 0, (1 << 31) - 1, SumNode("leaf", 1), false);
        _large(1 << 31, 31, 0, SumNode("top", 1), false);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Each node of a right tree, without a preimage and with its own.
    function _sweep(Epoch memory epoch, RecordLeaf[] memory rows, SumNode[] memory leaves) private {
        uint256 width = 1;
        uint256 depth;
        for (; width < leaves.length; width *= 2) {
            ++depth;
        }
        for (uint256 level; level <= depth; ++level) {
            for (uint256 index; index < width >> level; ++index) {
                SumNodeAt memory place = _place(leaves, level, index);
                _expectNothingWrong();
                proofs.badSum(epoch.header, rows, place, "");
                if (level == 0) continue;
                bytes memory preimage = _inner(leaves, level, index);
                _expectNothingWrong();
                proofs.badSum(epoch.header, rows, place, preimage);
            }
        }
    }

    /// @dev A header of epoch 0 whose pools tree has that many leaves, that node, and anything beside its path.
    function _large(uint32 count, uint8 level, uint32 index, SumNode memory node, bool wrong) private {
        uint256 id = vm.snapshotState();
        Epoch memory epoch = _first();
        SumNodeAt memory place = SumNodeAt(node, level, index, new SumNode[](_depth(count) - level));
        for (uint256 i; i < place.path.length; ++i) {
            place.path[i] = SumNode(keccak256(abi.encode(i)), uint128(i));
        }
        SumNode memory top = ReferenceTrees.rootFrom(node, index, place.path);
        epoch.header.poolCount = count;
        (epoch.header.poolsRoot, epoch.header.weight) = (top.hash, top.sum);
        _commit(epoch.header);
        if (wrong) _expectVoid(0);
        else _expectNothingWrong();
        proofs.badSum(epoch.header, EpochTrees.above(), place, "");
        vm.revertToState(id);
    }

    function _depth(uint256 count) private pure returns (uint256 depth) {
        while (1 << depth < count) ++depth;
    }

    /// @dev The epochs, and the leaves of the tree that is made wrong.
    function _sessions() private returns (Epoch memory first, Epoch memory epoch, SumNode[] memory leaves) {
        (first, epoch) = _epochs();
        leaves = EpochTrees.sessionLeaves(epoch.pools[1].nodes[0]);
    }

    /// @dev Commits the epoch with that node in its place in the tree of sessions.
    function _put(
        Epoch memory epoch,
        SumNode[] memory leaves,
        SumNode memory node,
        uint256 level,
        uint256 index
    ) private {
        SumNode memory top = ReferenceTrees.rootFrom(node, index, ReferenceTrees.path(leaves, level, index));
        NodeEpoch memory sessions = epoch.pools[1].nodes[0];
        (sessions.row.sessionsRoot, sessions.row.weight) = (top.hash, top.sum);
        EpochTrees.buildNodes(epoch.pools[1]);
        EpochTrees.buildPools(epoch);
        _commit(epoch.header);
    }

    function _prove(
        Epoch memory epoch,
        SumNode[] memory leaves,
        SumNode memory node,
        uint256 level,
        uint256 index,
        bytes memory preimage
    ) private {
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 1, 0);
        SumNodeAt memory place = _place(leaves, level, index);
        place.node = node;
        _expectVoid(1);
        proofs.badSum(epoch.header, rows, place, preimage);
    }

    function _place(SumNode[] memory leaves, uint256 level, uint256 index)
        private
        pure
        returns (SumNodeAt memory)
    {
        return SumNodeAt({
            node: ReferenceTrees.nodeAt(leaves, level, index),
            level: uint8(level),
            index: uint32(index),
            path: ReferenceTrees.path(leaves, level, index)
        });
    }

    function _inner(SumNode[] memory leaves, uint256 level, uint256 index)
        private
        pure
        returns (bytes memory)
    {
        return ReferenceTrees.innerPreimage(
            ReferenceTrees.nodeAt(leaves, level - 1, 2 * index),
            ReferenceTrees.nodeAt(leaves, level - 1, 2 * index + 1)
        );
    }

    function _leafPreimage(bytes memory record, uint128 sum) private pure returns (bytes memory) {
        return bytes.concat(hex"00", keccak256(record), bytes16(sum));
    }
}
