// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { HeaderLib } from "../../../contracts/libraries/HeaderLib.sol";
import { PlainTree } from "../../../contracts/libraries/PlainTree.sol";
import {
    ClaimLeaf,
    EpochHeader,
    SessionRecord,
    SumNode
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { SessionRecordLib } from "../../../contracts/libraries/SessionRecordLib.sol";
import { SettlementRule } from "../../../contracts/libraries/SettlementRule.sol";
import { SumTree } from "../../../contracts/libraries/SumTree.sol";
import { TreeDepth } from "../../../contracts/libraries/TreeDepth.sol";

/// @title LibraryHarness
/// @notice Gives the libraries' functions call data, and a call that can revert.
contract LibraryHarness {
    function hashHeader(EpochHeader calldata header) external pure returns (bytes32) {
        return HeaderLib.hash(header);
    }

    function depthOf(uint256 count) external pure returns (uint256) {
        return TreeDepth.depthOf(count);
    }

    function claimLeafOf(ClaimLeaf calldata leaf) external pure returns (bytes32) {
        return PlainTree.claimLeafOf(leaf);
    }

    function plainRoot(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return PlainTree.rootFromPath(leaf, index, count, path);
    }

    function rangeRoot(bytes32[] memory leaves, uint256 first, uint256 count, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return PlainTree.rootFromRange(leaves, first, count, path);
    }

    function requirePlainLeaf(
        bytes32 root,
        bytes32 leaf,
        uint256 index,
        uint256 count,
        bytes32[] calldata path
    ) external pure {
        PlainTree.requireLeaf(root, leaf, index, count, path);
    }

    function sumInner(SumNode calldata left, SumNode calldata right) external pure returns (SumNode memory) {
        return SumTree.inner(left, right);
    }

    function sumRoot(SumNode calldata node, uint256 index, uint256 count, SumNode[] calldata path)
        external
        pure
        returns (SumNode memory)
    {
        return SumTree.rootFromPath(node, index, count, path);
    }

    function requireSumLeaf(
        SumNode calldata root,
        SumNode calldata node,
        uint256 index,
        uint256 count,
        SumNode[] calldata path
    ) external pure {
        SumTree.requireLeaf(root, node, index, count, path);
    }

    function weightOf(uint64 bytesDelivered, uint64 bytesOnTime) external pure returns (uint64) {
        return SettlementRule.weightOf(bytesDelivered, bytesOnTime);
    }

    function encodeRecord(SessionRecord calldata record) external pure returns (bytes memory) {
        return SessionRecordLib.encode(record);
    }

    function decodeRecord(bytes calldata encoded) external pure returns (SessionRecord memory) {
        return SessionRecordLib.decode(encoded);
    }
}
