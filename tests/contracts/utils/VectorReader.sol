// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BatchAck,
    ClaimRedirect,
    EpochHeader,
    NodeRegistration,
    NodeRow,
    Playlist,
    PoolRow,
    Receipt,
    ReceiptSubmission,
    Rejection,
    SessionTicket,
    SumNode
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { SumTree } from "../../../contracts/libraries/SumTree.sol";
import { Test } from "./Test.sol";

/// @title VectorReader
/// @notice Reads the golden vectors of tests/vectors, one file at a time.
abstract contract VectorReader is Test {
    string private _json;

    /// @dev Reads a file; returns how many cases it has.
    function _open(string memory name) internal returns (uint256) {
        _json = vm.readFile(string.concat(vm.projectRoot(), "/tests/vectors/", name, ".json"));
        return _uint("", ".caseCount");
    }

    function _case(uint256 index) internal pure returns (string memory) {
        return string.concat(".cases[", vm.toString(index), "]");
    }

    function _path(uint256 index, uint256 path) internal pure returns (string memory) {
        return string.concat(_case(index), ".paths[", vm.toString(path), "]");
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       VALUES
    //////////////////////////////////////////////////////////////////////////*/

    function _uint(string memory place, string memory key) internal view returns (uint256) {
        return vm.parseJsonUint(_json, string.concat(place, key));
    }

    function _address(string memory place, string memory key) internal view returns (address) {
        return vm.parseJsonAddress(_json, string.concat(place, key));
    }

    function _string(string memory place, string memory key) internal view returns (string memory) {
        return vm.parseJsonString(_json, string.concat(place, key));
    }

    function _bytes(string memory place, string memory key) internal view returns (bytes memory) {
        return vm.parseJsonBytes(_json, string.concat(place, key));
    }

    function _bytes32(string memory place, string memory key) internal view returns (bytes32) {
        return vm.parseJsonBytes32(_json, string.concat(place, key));
    }

    function _uints(string memory place, string memory key) internal view returns (uint256[] memory) {
        return vm.parseJsonUintArray(_json, string.concat(place, key));
    }

    function _addresses(string memory place, string memory key) internal view returns (address[] memory) {
        return vm.parseJsonAddressArray(_json, string.concat(place, key));
    }

    function _bytes32s(string memory place, string memory key) internal view returns (bytes32[] memory) {
        return vm.parseJsonBytes32Array(_json, string.concat(place, key));
    }

    function _byteses(string memory place, string memory key) internal view returns (bytes[] memory) {
        return vm.parseJsonBytesArray(_json, string.concat(place, key));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      RECORDS
    //////////////////////////////////////////////////////////////////////////*/

    function _header(string memory place) internal view returns (EpochHeader memory header) {
        header.epoch = uint64(_uint(place, ".epoch"));
        header.parent = _bytes32(place, ".parent");
        header.poolsRoot = _bytes32(place, ".poolsRoot");
        header.poolCount = uint32(_uint(place, ".poolCount"));
        header.weight = uint128(_uint(place, ".weight"));
        header.claimsRoot = _bytes32(place, ".claimsRoot");
        header.claimCount = uint32(_uint(place, ".claimCount"));
        header.dataHash = _bytes32(place, ".dataHash");
    }

    function _poolRow(string memory place) internal view returns (PoolRow memory row) {
        row.poolId = uint32(_uint(place, ".poolId"));
        row.nodesRoot = _bytes32(place, ".nodesRoot");
        row.nodeCount = uint32(_uint(place, ".nodeCount"));
        row.weight = uint128(_uint(place, ".weight"));
        row.spend = uint128(_uint(place, ".spend"));
        row.cumulativeSpend = uint128(_uint(place, ".cumulativeSpend"));
        assertEq(SumTree.encode(row), _bytes(place, ".encoded"));
        assertEq(keccak256(SumTree.encode(row)), _bytes32(place, ".digest"));
    }

    function _nodeRow(string memory place) internal view returns (NodeRow memory row) {
        row.node = _address(place, ".node");
        row.sessionsRoot = _bytes32(place, ".sessionsRoot");
        row.sessionCount = uint32(_uint(place, ".sessionCount"));
        row.weight = uint128(_uint(place, ".weight"));
        row.reward = uint128(_uint(place, ".reward"));
    }

    function _sumLeaves(string memory place) internal view returns (SumNode[] memory leaves) {
        bytes32[] memory digests = _bytes32s(place, ".digests");
        bytes32[] memory hashes = _bytes32s(place, ".leafHashes");
        uint256[] memory sums = _uints(place, ".sums");
        leaves = new SumNode[](digests.length);
        for (uint256 i; i < leaves.length; ++i) {
            leaves[i] = SumTree.leaf(digests[i], uint128(sums[i]));
            assertEq(leaves[i].hash, hashes[i]);
        }
    }

    function _siblings(string memory place) internal view returns (SumNode[] memory siblings) {
        bytes32[] memory hashes = _bytes32s(place, ".siblingHashes");
        uint256[] memory sums = _uints(place, ".siblingSums");
        siblings = new SumNode[](hashes.length);
        for (uint256 i; i < siblings.length; ++i) {
            siblings[i] = SumNode(hashes[i], uint128(sums[i]));
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      MESSAGES
    //////////////////////////////////////////////////////////////////////////*/

    function _ticket(string memory place) internal view returns (SessionTicket memory ticket) {
        ticket.poolId = uint32(_uint(place, ".poolId"));
        ticket.epoch = uint64(_uint(place, ".epoch"));
        ticket.node = _address(place, ".node");
        ticket.viewer = _address(place, ".viewer");
        ticket.maxBytes = uint64(_uint(place, ".maxBytes"));
        ticket.issuedAt = uint64(_uint(place, ".issuedAt"));
        ticket.expiresAt = uint64(_uint(place, ".expiresAt"));
        ticket.nonce = _uint(place, ".nonce");
    }

    function _receipt(string memory place) internal view returns (Receipt memory receipt) {
        receipt.sessionId = _bytes32(place, ".sessionId");
        receipt.sequence = uint32(_uint(place, ".sequence"));
        receipt.bytesDelivered = uint64(_uint(place, ".bytesDelivered"));
        receipt.bytesOnTime = uint64(_uint(place, ".bytesOnTime"));
        receipt.mediaSequence = uint64(_uint(place, ".mediaSequence"));
        receipt.signedAt = uint64(_uint(place, ".signedAt"));
    }

    function _registration(string memory place) internal view returns (NodeRegistration memory registration) {
        registration.node = _address(place, ".node");
        registration.payout = _address(place, ".payout");
        registration.endpoint = _string(place, ".endpoint");
        registration.nonce = uint64(_uint(place, ".nonce"));
        registration.deadline = uint64(_uint(place, ".deadline"));
    }

    function _submission(string memory place) internal view returns (ReceiptSubmission memory submission) {
        submission.node = _address(place, ".node");
        submission.epoch = uint64(_uint(place, ".epoch"));
        submission.batchNumber = uint64(_uint(place, ".batchNumber"));
        submission.batchRoot = _bytes32(place, ".batchRoot");
        submission.count = uint32(_uint(place, ".count"));
    }

    function _ack(string memory place) internal view returns (BatchAck memory ack) {
        ack.node = _address(place, ".node");
        ack.epoch = uint64(_uint(place, ".epoch"));
        ack.batchNumber = uint64(_uint(place, ".batchNumber"));
        ack.acceptedRoot = _bytes32(place, ".acceptedRoot");
        ack.accepted = uint32(_uint(place, ".accepted"));
        ack.receivedAt = uint64(_uint(place, ".receivedAt"));
    }

    function _rejection(string memory place) internal view returns (Rejection memory rejection) {
        rejection.sessionId = _bytes32(place, ".sessionId");
        rejection.sequence = uint32(_uint(place, ".sequence"));
        rejection.code = uint16(_uint(place, ".code"));
        rejection.receivedAt = uint64(_uint(place, ".receivedAt"));
    }

    function _redirect(string memory place) internal view returns (ClaimRedirect memory redirect) {
        redirect.account = _address(place, ".account");
        redirect.to = _address(place, ".to");
        redirect.epoch = uint64(_uint(place, ".epoch"));
        redirect.deadline = uint64(_uint(place, ".deadline"));
    }

    function _playlist(string memory place) internal view returns (Playlist memory playlist) {
        playlist.poolId = uint32(_uint(place, ".poolId"));
        playlist.mediaSequence = uint64(_uint(place, ".mediaSequence"));
        playlist.contentHash = _bytes32(place, ".contentHash");
        playlist.publishedAt = uint64(_uint(place, ".publishedAt"));
    }
}
