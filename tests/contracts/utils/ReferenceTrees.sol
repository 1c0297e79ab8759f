// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";

/// @title ReferenceTrees
/// @notice Builds roots and paths from all leaves, layer by layer: plain, and apart from the code under test.
library ReferenceTrees {
    /*//////////////////////////////////////////////////////////////////////////
                                    PLAIN TREES
    //////////////////////////////////////////////////////////////////////////*/

    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        if (leaves.length == 0) return 0;
        bytes32[] memory layer = _padded(leaves);
        while (layer.length > 1) layer = _above(layer);
        return layer[0];
    }

    function path(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory siblings) {
        bytes32[] memory layer = _padded(leaves);
        siblings = new bytes32[](_levels(layer.length));
        for (uint256 level; level < siblings.length; ++level) {
            siblings[level] = layer[index % 2 == 0 ? index + 1 : index - 1];
            layer = _above(layer);
            index /= 2;
        }
    }

    /// @dev The siblings of any node, also of one over padding.
    function path(bytes32[] memory leaves, uint256 level, uint256 index)
        internal
        pure
        returns (bytes32[] memory siblings)
    {
        return path(_layer(leaves, level), index);
    }

    function nodeAt(bytes32[] memory leaves, uint256 level, uint256 index) internal pure returns (bytes32) {
        return _layer(leaves, level)[index];
    }

    /// @dev The root that a node has which stands in the place of the right one.
    function rootFrom(bytes32 node, uint256 index, bytes32[] memory siblings)
        internal
        pure
        returns (bytes32)
    {
        for (uint256 level; level < siblings.length; ++level) {
            node = index % 2 == 0
                ? keccak256(bytes.concat(node, siblings[level]))
                : keccak256(bytes.concat(siblings[level], node));
            index /= 2;
        }
        return node;
    }

    function _layer(bytes32[] memory leaves, uint256 level) private pure returns (bytes32[] memory layer) {
        layer = _padded(leaves);
        for (uint256 i; i < level; ++i) {
            layer = _above(layer);
        }
    }

    /// @dev What lies beside a range of leaves: told from marks on what the range covers, layer by layer.
    function rangePath(bytes32[] memory leaves, uint256 first, uint256 width)
        internal
        pure
        returns (bytes32[] memory beside)
    {
        bytes32[] memory layer = _padded(leaves);
        bool[] memory covered = new bool[](layer.length);
        for (uint256 i; i < width; ++i) {
            covered[first + i] = true;
        }
        beside = new bytes32[](2 * _levels(layer.length));
        uint256 length;
        while (layer.length > 1) {
            bool[] memory coveredAbove = new bool[](layer.length / 2);
            for (uint256 i; i < layer.length; i += 2) {
                coveredAbove[i / 2] = covered[i] || covered[i + 1];
                if (covered[i] != covered[i + 1]) beside[length++] = covered[i] ? layer[i + 1] : layer[i];
            }
            (layer, covered) = (_above(layer), coveredAbove);
        }
        return resized(beside, length);
    }

    /// @dev The same words, cut or with zeros after them.
    function resized(bytes32[] memory words, uint256 length) internal pure returns (bytes32[] memory other) {
        other = new bytes32[](length);
        for (uint256 i; i < length && i < words.length; ++i) {
            other[i] = words[i];
        }
    }

    function _padded(bytes32[] memory leaves) private pure returns (bytes32[] memory layer) {
        layer = new bytes32[](_width(leaves.length));
        for (uint256 i; i < leaves.length; ++i) {
            layer[i] = leaves[i];
        }
    }

    function _above(bytes32[] memory layer) private pure returns (bytes32[] memory above) {
        above = new bytes32[](layer.length / 2);
        for (uint256 i; i < above.length; ++i) {
            above[i] = keccak256(abi.encodePacked(layer[2 * i], layer[2 * i + 1]));
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     SUM TREES
    //////////////////////////////////////////////////////////////////////////*/

    function leaf(bytes memory record, uint128 sum) internal pure returns (SumNode memory) {
        return SumNode({ hash: keccak256(bytes.concat(hex"00", keccak256(record), bytes16(sum))), sum: sum });
    }

    function innerPreimage(SumNode memory left, SumNode memory right) internal pure returns (bytes memory) {
        return bytes.concat(hex"01", left.hash, bytes16(left.sum), right.hash, bytes16(right.sum));
    }

    function root(SumNode[] memory leaves) internal pure returns (SumNode memory) {
        if (leaves.length == 0) return SumNode(0, 0);
        SumNode[] memory layer = _padded(leaves);
        while (layer.length > 1) layer = _above(layer);
        return layer[0];
    }

    function path(SumNode[] memory leaves, uint256 index) internal pure returns (SumNode[] memory siblings) {
        SumNode[] memory layer = _padded(leaves);
        siblings = new SumNode[](_levels(layer.length));
        for (uint256 level; level < siblings.length; ++level) {
            siblings[level] = layer[index % 2 == 0 ? index + 1 : index - 1];
            layer = _above(layer);
            index /= 2;
        }
    }

    /// @dev The siblings of any node, also of one over padding.
    function path(SumNode[] memory leaves, uint256 level, uint256 index)
        internal
        pure
        returns (SumNode[] memory siblings)
    {
        return path(_layer(leaves, level), index);
    }

    function nodeAt(SumNode[] memory leaves, uint256 level, uint256 index)
        internal
        pure
        returns (SumNode memory)
    {
        return _layer(leaves, level)[index];
    }

    /// @dev The top that a node has which stands in the place of the right one.
    function rootFrom(SumNode memory node, uint256 index, SumNode[] memory siblings)
        internal
        pure
        returns (SumNode memory)
    {
        for (uint256 level; level < siblings.length; ++level) {
            node = index % 2 == 0 ? _inner(node, siblings[level]) : _inner(siblings[level], node);
            index /= 2;
        }
        return node;
    }

    function _layer(SumNode[] memory leaves, uint256 level) private pure returns (SumNode[] memory layer) {
        layer = _padded(leaves);
        for (uint256 i; i < level; ++i) {
            layer = _above(layer);
        }
    }

    function _padded(SumNode[] memory leaves) private pure returns (SumNode[] memory layer) {
        layer = new SumNode[](_width(leaves.length));
        for (uint256 i; i < layer.length; ++i) {
            layer[i] = i < leaves.length ? leaves[i] : SumNode(0, 0);
        }
    }

    function _above(SumNode[] memory layer) private pure returns (SumNode[] memory above) {
        above = new SumNode[](layer.length / 2);
        for (uint256 i; i < above.length; ++i) {
            above[i] = _inner(layer[2 * i], layer[2 * i + 1]);
        }
    }

    function _inner(SumNode memory left, SumNode memory right) private pure returns (SumNode memory) {
        return SumNode({ hash: keccak256(innerPreimage(left, right)), sum: left.sum + right.sum });
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       SHAPES
    //////////////////////////////////////////////////////////////////////////*/

    function _width(uint256 count) private pure returns (uint256 width) {
        width = 1;
        while (width < count) width *= 2;
    }

    function _levels(uint256 width) private pure returns (uint256 levels) {
        while (width > 1) {
            width /= 2;
            ++levels;
        }
    }
}
