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

    function _padded(SumNode[] memory leaves) private pure returns (SumNode[] memory layer) {
        layer = new SumNode[](_width(leaves.length));
        for (uint256 i; i < layer.length; ++i) {
            layer[i] = i < leaves.length ? leaves[i] : SumNode(0, 0);
        }
    }

    function _above(SumNode[] memory layer) private pure returns (SumNode[] memory above) {
        above = new SumNode[](layer.length / 2);
        for (uint256 i; i < above.length; ++i) {
            SumNode memory left = layer[2 * i];
            SumNode memory right = layer[2 * i + 1];
            above[i] = SumNode({
                hash: keccak256(
                    bytes.concat(hex"01", left.hash, bytes16(left.sum), right.hash, bytes16(right.sum))
                ),
                sum: left.sum + right.sum
            });
        }
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
