// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ChunkShape } from "../../../contracts/libraries/ChunkShape.sol";
import { PlainChunk } from "../../../contracts/libraries/PlainChunk.sol";
import { SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { SumChunk } from "../../../contracts/libraries/SumChunk.sol";
import { TreeDepth } from "../../../contracts/libraries/TreeDepth.sol";

/// @notice The parts of trees that are demanded: their shape for all trees, their contents for up to four nodes.
contract ChunksProof {
    function check_ANodeOverALeafHasAsManyAsTheCountLeavesIt(uint8 level, uint32 index, uint32 count)
        external
        pure
    {
        require(level <= ChunkShape.LEAF_LEVELS);
        uint256 first = uint256(index) * (uint256(1) << level);
        assert(ChunkShape.isPadding(level, index, count) == (first >= count));
        require(first < count);
        uint256 leaves = ChunkShape.leavesUnder(level, index, count);
        assert(leaves > 0 && leaves <= uint256(1) << level);
        assert(leaves == uint256(1) << level || first + leaves == count);
        assert(first + leaves <= count);
    }

    function check_NodesAnswerFromUpToSixLevelsBelowAndNeverFromUnderTheLeaves(uint256 level) external pure {
        require(level > ChunkShape.LEAF_LEVELS && level <= 32);
        uint256 below = ChunkShape.nodesLevelOf(level);
        assert(below >= ChunkShape.LEAF_LEVELS && below < level && level - below <= ChunkShape.NODE_LEVELS);
    }

    /// @dev So every place that can be demanded is one that a path can lead from.
    function check_ANodeThatIsNotOverPaddingAloneIsInTheTree(uint8 level, uint32 index, uint32 count)
        external
        view
    {
        require(level <= TreeDepth.depthOf(count) && !ChunkShape.isPadding(level, index, count));
        uint256 length = TreeDepth.depthOf(count) - level;
        try this.requireNode(level, index, count, length) { }
        catch {
            assert(false);
        }
    }

    function check_ASumTreesPartHasOneAnswer(SumNode[4] memory one, SumNode[4] memory other) external pure {
        SumNode memory top = SumChunk.topOf(_list(one));
        SumNode memory otherTop = SumChunk.topOf(_list(other));
        require(top.hash == otherTop.hash && top.sum == otherTop.sum);
        for (uint256 i; i < 4; ++i) {
            assert(one[i].hash == other[i].hash && one[i].sum == other[i].sum);
        }
    }

    function check_ASumTreesPartAddsUp(SumNode[4] memory nodes) external pure {
        uint256 sum = uint256(nodes[0].sum) + nodes[1].sum + nodes[2].sum + nodes[3].sum;
        assert(SumChunk.topOf(_list(nodes)).sum == sum);
    }

    function check_APlainTreesPartHasOneAnswer(bytes32[4] memory one, bytes32[4] memory other) external pure {
        require(PlainChunk.topOf(_list(one)) == PlainChunk.topOf(_list(other)));
        for (uint256 i; i < 4; ++i) {
            assert(one[i] == other[i]);
        }
    }

    function requireNode(uint256 level, uint256 index, uint256 count, uint256 length) external pure {
        TreeDepth.requireNode(level, index, count, length);
    }

    function _list(SumNode[4] memory nodes) private pure returns (SumNode[] memory list) {
        list = new SumNode[](4);
        for (uint256 i; i < 4; ++i) {
            list[i] = SumNode(nodes[i].hash, nodes[i].sum);
        }
    }

    function _list(bytes32[4] memory nodes) private pure returns (bytes32[] memory list) {
        list = new bytes32[](4);
        for (uint256 i; i < 4; ++i) {
            list[i] = nodes[i];
        }
    }
}
