// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ClaimLeaf,
    ClaimLeafAt,
    EpochHeader,
    NodeRow,
    PoolRow,
    RecordLeaf,
    SessionRecord,
    SumNode
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { SessionRecordLib } from "../../../contracts/libraries/SessionRecordLib.sol";
import { SumTree } from "../../../contracts/libraries/SumTree.sol";
import { ReferenceTrees } from "./ReferenceTrees.sol";

/// @notice All that a header stands for.
struct Epoch {
    EpochHeader header;
    PoolEpoch[] pools;
    ClaimLeaf[] claims;
}

struct PoolEpoch {
    PoolRow row;
    NodeEpoch[] nodes;
}

/// @param sums The leaves' sums; honest ones are the records' weights.
struct NodeEpoch {
    NodeRow row;
    SessionRecord[] records;
    uint128[] sums;
}

/// @title EpochTrees
/// @notice Builds the trees of an epoch, whatever its leaves say, and the proofs that leaves are in them. It decides nothing.
library EpochTrees {
    /*//////////////////////////////////////////////////////////////////////////
                                       TREES
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Writes roots, counts and sums into rows and header, from the leaves up.
    function build(Epoch memory epoch) internal pure {
        for (uint256 p; p < epoch.pools.length; ++p) {
            PoolEpoch memory pool = epoch.pools[p];
            for (uint256 n; n < pool.nodes.length; ++n) {
                buildSessions(pool.nodes[n]);
            }
            buildNodes(pool);
        }
        buildPools(epoch);
        buildClaims(epoch);
    }

    function buildSessions(NodeEpoch memory node) internal pure {
        SumNode memory top = ReferenceTrees.root(sessionLeaves(node));
        node.row.sessionsRoot = top.hash;
        node.row.weight = top.sum;
        node.row.sessionCount = uint32(node.records.length);
    }

    function buildNodes(PoolEpoch memory pool) internal pure {
        SumNode memory top = ReferenceTrees.root(nodeLeaves(pool));
        pool.row.nodesRoot = top.hash;
        pool.row.weight = top.sum;
        pool.row.nodeCount = uint32(pool.nodes.length);
    }

    function buildPools(Epoch memory epoch) internal pure {
        SumNode memory top = ReferenceTrees.root(poolLeaves(epoch));
        epoch.header.poolsRoot = top.hash;
        epoch.header.weight = top.sum;
        epoch.header.poolCount = uint32(epoch.pools.length);
    }

    function buildClaims(Epoch memory epoch) internal pure {
        epoch.header.claimsRoot = ReferenceTrees.root(claimHashes(epoch));
        epoch.header.claimCount = uint32(epoch.claims.length);
    }

    function sessionLeaves(NodeEpoch memory node) internal pure returns (SumNode[] memory leaves) {
        leaves = new SumNode[](node.records.length);
        for (uint256 i; i < leaves.length; ++i) {
            leaves[i] = ReferenceTrees.leaf(SessionRecordLib.encode(node.records[i]), node.sums[i]);
        }
    }

    function nodeLeaves(PoolEpoch memory pool) internal pure returns (SumNode[] memory leaves) {
        leaves = new SumNode[](pool.nodes.length);
        for (uint256 i; i < leaves.length; ++i) {
            NodeRow memory row = pool.nodes[i].row;
            leaves[i] = ReferenceTrees.leaf(SumTree.encode(row), row.weight);
        }
    }

    function poolLeaves(Epoch memory epoch) internal pure returns (SumNode[] memory leaves) {
        leaves = new SumNode[](epoch.pools.length);
        for (uint256 i; i < leaves.length; ++i) {
            PoolRow memory row = epoch.pools[i].row;
            leaves[i] = ReferenceTrees.leaf(SumTree.encode(row), row.weight);
        }
    }

    function claimHashes(Epoch memory epoch) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](epoch.claims.length);
        for (uint256 i; i < hashes.length; ++i) {
            ClaimLeaf memory leaf = epoch.claims[i];
            hashes[i] = keccak256(bytes.concat(keccak256(abi.encodePacked(leaf.account, leaf.entries))));
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       PROOFS
    //////////////////////////////////////////////////////////////////////////*/

    function poolLeaf(Epoch memory epoch, uint256 pool) internal pure returns (RecordLeaf memory) {
        return RecordLeaf({
            record: SumTree.encode(epoch.pools[pool].row),
            index: uint32(pool),
            path: ReferenceTrees.path(poolLeaves(epoch), pool)
        });
    }

    function nodeLeaf(Epoch memory epoch, uint256 pool, uint256 node)
        internal
        pure
        returns (RecordLeaf memory)
    {
        return RecordLeaf({
            record: SumTree.encode(epoch.pools[pool].nodes[node].row),
            index: uint32(node),
            path: ReferenceTrees.path(nodeLeaves(epoch.pools[pool]), node)
        });
    }

    function sessionLeaf(Epoch memory epoch, uint256 pool, uint256 node, uint256 session)
        internal
        pure
        returns (RecordLeaf memory)
    {
        NodeEpoch memory sessions = epoch.pools[pool].nodes[node];
        return RecordLeaf({
            record: SessionRecordLib.encode(sessions.records[session]),
            index: uint32(session),
            path: ReferenceTrees.path(sessionLeaves(sessions), session)
        });
    }

    function claimLeaf(Epoch memory epoch, uint256 claim) internal pure returns (ClaimLeafAt memory) {
        return ClaimLeafAt({
            leaf: epoch.claims[claim],
            index: uint32(claim),
            path: ReferenceTrees.path(claimHashes(epoch), claim)
        });
    }

    /// @dev The rows above the pools tree: none.
    function above() internal pure returns (RecordLeaf[] memory) {
        return new RecordLeaf[](0);
    }

    /// @dev The row above a nodes tree.
    function above(Epoch memory epoch, uint256 pool) internal pure returns (RecordLeaf[] memory rows) {
        rows = new RecordLeaf[](1);
        rows[0] = poolLeaf(epoch, pool);
    }

    /// @dev The rows above a sessions tree.
    function above(Epoch memory epoch, uint256 pool, uint256 node)
        internal
        pure
        returns (RecordLeaf[] memory rows)
    {
        rows = new RecordLeaf[](2);
        rows[0] = poolLeaf(epoch, pool);
        rows[1] = nodeLeaf(epoch, pool, node);
    }

    /*//////////////////////////////////////////////////////////////////////////
                              WHAT A TREE HOLDS UNDER A KEY
    //////////////////////////////////////////////////////////////////////////*/

    function showPool(Epoch memory epoch, uint32 poolId) internal pure returns (RecordLeaf[] memory shown) {
        uint256[] memory keys = new uint256[](epoch.pools.length);
        for (uint256 i; i < keys.length; ++i) {
            keys[i] = epoch.pools[i].row.poolId;
        }
        uint256[] memory places = around(keys, poolId);
        shown = new RecordLeaf[](places.length);
        for (uint256 i; i < places.length; ++i) {
            shown[i] = poolLeaf(epoch, places[i]);
        }
    }

    function showNode(Epoch memory epoch, uint256 pool, address node)
        internal
        pure
        returns (RecordLeaf[] memory shown)
    {
        uint256[] memory keys = new uint256[](epoch.pools[pool].nodes.length);
        for (uint256 i; i < keys.length; ++i) {
            keys[i] = uint160(epoch.pools[pool].nodes[i].row.node);
        }
        uint256[] memory places = around(keys, uint160(node));
        shown = new RecordLeaf[](places.length);
        for (uint256 i; i < places.length; ++i) {
            shown[i] = nodeLeaf(epoch, pool, places[i]);
        }
    }

    function showSession(Epoch memory epoch, uint256 pool, uint256 node, bytes32 sessionId)
        internal
        pure
        returns (RecordLeaf[] memory shown)
    {
        SessionRecord[] memory records = epoch.pools[pool].nodes[node].records;
        uint256[] memory keys = new uint256[](records.length);
        for (uint256 i; i < keys.length; ++i) {
            keys[i] = uint256(records[i].receipt.sessionId);
        }
        uint256[] memory places = around(keys, uint256(sessionId));
        shown = new RecordLeaf[](places.length);
        for (uint256 i; i < places.length; ++i) {
            shown[i] = sessionLeaf(epoch, pool, node, places[i]);
        }
    }

    function showAccount(Epoch memory epoch, address account)
        internal
        pure
        returns (ClaimLeafAt[] memory shown)
    {
        uint256[] memory keys = new uint256[](epoch.claims.length);
        for (uint256 i; i < keys.length; ++i) {
            keys[i] = uint160(epoch.claims[i].account);
        }
        uint256[] memory places = around(keys, uint160(account));
        shown = new ClaimLeafAt[](places.length);
        for (uint256 i; i < places.length; ++i) {
            shown[i] = claimLeaf(epoch, places[i]);
        }
    }

    /// @dev The place of the key among rising keys, or else the places of its neighbours.
    function around(uint256[] memory keys, uint256 key) internal pure returns (uint256[] memory places) {
        uint256 next;
        while (next < keys.length && keys[next] < key) ++next;
        bool here = next < keys.length && keys[next] == key;
        bool left = !here && next > 0;
        bool right = !here && next < keys.length;
        places = new uint256[](here || left != right ? 1 : (left ? 2 : 0));
        if (here) places[0] = next;
        if (left) places[0] = next - 1;
        if (right) places[places.length - 1] = next;
    }
}
