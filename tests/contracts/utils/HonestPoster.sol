// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ClaimLeaf,
    NodeRow,
    PoolRow,
    Receipt,
    SessionRecord,
    SessionTicket,
    Terms
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { SessionRecordLib } from "../../../contracts/libraries/SessionRecordLib.sol";
import { TypedData } from "../../../contracts/libraries/TypedData.sol";
import { Epoch, EpochTrees, NodeEpoch, PoolEpoch } from "./EpochData.sol";
import { ProtocolTest } from "./ProtocolTest.sol";

/// @title HonestPoster
/// @notice Settles epochs from session records and the chain as docs/protocol.md says: plain, and apart from the code under
/// test. Any records will do, in any order; those of weight 0 are left out.
abstract contract HonestPoster is ProtocolTest {
    /// @dev What an account earned from a pool.
    struct Earning {
        address account;
        uint32 poolId;
        uint256 reward;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      SESSIONS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev A session record, signed by the ticket signer and by the viewer with that key.
    function _session(
        uint32 poolId,
        uint64 epoch,
        address node,
        uint256 viewerKey,
        uint64 bytesDelivered,
        uint64 bytesOnTime
    ) internal returns (SessionRecord memory record) {
        record.ticket = SessionTicket({
            poolId: poolId,
            epoch: epoch,
            node: node,
            viewer: vm.addr(viewerKey),
            maxBytes: 10e9,
            issuedAt: uint64(book.epochStart(epoch)),
            expiresAt: uint64(book.epochEnd(epoch)),
            nonce: viewerKey
        });
        record.receipt = Receipt({
            sessionId: 0,
            sequence: 7,
            bytesDelivered: bytesDelivered,
            bytesOnTime: bytesOnTime,
            mediaSequence: 100,
            signedAt: uint64(book.epochStart(epoch)) + 60
        });
        _signSession(record, viewerKey);
    }

    /// @dev Signs what the record says now.
    function _signSession(SessionRecord memory record, uint256 viewerKey) internal {
        (, uint256 ticketKey) = makeAddrAndKey("ticket signer");
        record.receipt.sessionId = TypedData.hash(record.ticket);
        record.ticketSignature = _sign(ticketKey, record.receipt.sessionId);
        record.receiptSignature = _sign(viewerKey, TypedData.hash(record.receipt));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       EPOCHS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The honest epoch with that number. `parent` is the one before, and means nothing in epoch 0.
    function _settleEpoch(uint64 number, Epoch memory parent, SessionRecord[] memory records)
        internal
        view
        returns (Epoch memory epoch)
    {
        epoch.header.epoch = number;
        epoch.header.dataHash = keccak256(abi.encode("data", number));
        if (number != 0) epoch.header.parent = _hash(parent.header);
        uint32[] memory open = _openPools(number);
        epoch.pools = new PoolEpoch[](open.length);
        for (uint256 i; i < open.length; ++i) {
            epoch.pools[i].row.poolId = open[i];
            epoch.pools[i].nodes = _nodesOf(open[i], records);
        }
        // First the weights, then the money that follows from them, then the roots over both.
        EpochTrees.build(epoch);
        for (uint256 i; i < open.length; ++i) {
            _pay(epoch.pools[i], number, _spentBefore(parent, open[i], number));
        }
        epoch.claims = _claimsAfter(parent, epoch);
        EpochTrees.build(epoch);
    }

    function _openPools(uint64 number) private view returns (uint32[] memory open) {
        uint32 all = pools.poolCount();
        uint256 count;
        open = new uint32[](all);
        for (uint32 id = 1; id <= all; ++id) {
            if (pools.isOpenAt(id, number)) open[count++] = id;
        }
        assembly ("memory-safe") {
            mstore(open, count)
        }
    }

    function _spentBefore(Epoch memory parent, uint32 poolId, uint64 number) private view returns (uint128) {
        if (pools.poolOf(poolId).createdEpoch == number) return 0;
        for (uint256 i; i < parent.pools.length; ++i) {
            if (parent.pools[i].row.poolId == poolId) return parent.pools[i].row.cumulativeSpend;
        }
        return 0;
    }

    /// @dev Section 5.
    function _pay(PoolEpoch memory pool, uint64 number, uint128 before) private view {
        PoolRow memory row = pool.row;
        Terms memory terms = pools.termsAt(row.poolId, number);
        uint256 spend = uint256(row.weight) * terms.pricePerGB / 1e9;
        if (spend > terms.epochBudget) spend = terms.epochBudget;
        uint256 funded = pools.fundedAt(row.poolId, number);
        uint256 left = funded > before ? funded - before : 0;
        if (spend > left) spend = left;
        row.spend = uint128(spend);
        row.cumulativeSpend = uint128(before + spend);
        for (uint256 i; i < pool.nodes.length; ++i) {
            NodeRow memory node = pool.nodes[i].row;
            node.reward = uint128(spend * node.weight / row.weight);
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                   NODES AND SESSIONS
    //////////////////////////////////////////////////////////////////////////*/

    function _nodesOf(uint32 poolId, SessionRecord[] memory records)
        private
        pure
        returns (NodeEpoch[] memory nodes)
    {
        nodes = new NodeEpoch[](records.length);
        uint256 count;
        address last;
        while (true) {
            address next = _nextNode(poolId, records, last);
            if (next == address(0)) break;
            nodes[count].row.node = next;
            (nodes[count].records, nodes[count].sums) = _sessionsOf(poolId, next, records);
            ++count;
            last = next;
        }
        assembly ("memory-safe") {
            mstore(nodes, count)
        }
    }

    /// @dev The lowest node above `last` with weight in the pool.
    function _nextNode(uint32 poolId, SessionRecord[] memory records, address last)
        private
        pure
        returns (address next)
    {
        for (uint256 i; i < records.length; ++i) {
            address node = records[i].ticket.node;
            bool counts = records[i].ticket.poolId == poolId && SessionRecordLib.weightOf(records[i]) != 0;
            if (counts && node > last && (next == address(0) || node < next)) next = node;
        }
    }

    function _sessionsOf(uint32 poolId, address node, SessionRecord[] memory records)
        private
        pure
        returns (SessionRecord[] memory found, uint128[] memory sums)
    {
        found = new SessionRecord[](records.length);
        uint256 count;
        for (uint256 i; i < records.length; ++i) {
            SessionRecord memory record = records[i];
            if (record.ticket.poolId != poolId || record.ticket.node != node) continue;
            if (SessionRecordLib.weightOf(record) == 0) continue;
            uint256 place = count++;
            for (; place > 0 && found[place - 1].receipt.sessionId > record.receipt.sessionId; --place) {
                found[place] = found[place - 1];
            }
            found[place] = record;
        }
        assembly ("memory-safe") {
            mstore(found, count)
        }
        sums = new uint128[](count);
        for (uint256 i; i < count; ++i) {
            sums[i] = SessionRecordLib.weightOf(found[i]);
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       CLAIMS
    //////////////////////////////////////////////////////////////////////////*/

    function _claimsAfter(Epoch memory parent, Epoch memory epoch)
        private
        pure
        returns (ClaimLeaf[] memory claims)
    {
        Earning[] memory earnings = _sorted(_earnings(parent, epoch));
        claims = new ClaimLeaf[](earnings.length);
        uint256 count;
        for (uint256 i; i < earnings.length;) {
            uint256 next = i;
            while (next < earnings.length && earnings[next].account == earnings[i].account) ++next;
            claims[count++] = ClaimLeaf(earnings[i].account, _entriesOf(earnings, i, next));
            i = next;
        }
        assembly ("memory-safe") {
            mstore(claims, count)
        }
    }

    /// @dev All that was earned before, and all that is earned now.
    function _earnings(Epoch memory parent, Epoch memory epoch) private pure returns (Earning[] memory all) {
        all = new Earning[](_mostEarnings(parent, epoch));
        uint256 count;
        for (uint256 i; i < parent.claims.length; ++i) {
            ClaimLeaf memory leaf = parent.claims[i];
            for (uint256 j; j < leaf.entries.length; ++j) {
                all[count++] = Earning(leaf.account, uint32(leaf.entries[j] >> 128), uint128(leaf.entries[j]));
            }
        }
        for (uint256 i; i < epoch.pools.length; ++i) {
            NodeEpoch[] memory nodes = epoch.pools[i].nodes;
            for (uint256 j; j < nodes.length; ++j) {
                if (nodes[j].row.reward == 0) continue;
                all[count++] = Earning(nodes[j].row.node, epoch.pools[i].row.poolId, nodes[j].row.reward);
            }
        }
        assembly ("memory-safe") {
            mstore(all, count)
        }
    }

    function _mostEarnings(Epoch memory parent, Epoch memory epoch) private pure returns (uint256 most) {
        for (uint256 i; i < parent.claims.length; ++i) {
            most += parent.claims[i].entries.length;
        }
        for (uint256 i; i < epoch.pools.length; ++i) {
            most += epoch.pools[i].nodes.length;
        }
    }

    /// @dev By account, then by pool; what is of the same account and pool is added up.
    function _sorted(Earning[] memory earnings) private pure returns (Earning[] memory sorted) {
        sorted = new Earning[](earnings.length);
        uint256 count;
        for (uint256 i; i < earnings.length; ++i) {
            Earning memory earning = earnings[i];
            uint256 place = count;
            while (place > 0 && _key(sorted[place - 1]) > _key(earning)) --place;
            if (place > 0 && _key(sorted[place - 1]) == _key(earning)) {
                sorted[place - 1].reward += earning.reward;
                continue;
            }
            for (uint256 j = count; j > place; --j) {
                sorted[j] = sorted[j - 1];
            }
            sorted[place] = earning;
            ++count;
        }
        assembly ("memory-safe") {
            mstore(sorted, count)
        }
    }

    function _key(Earning memory earning) private pure returns (uint256) {
        return uint256(uint160(earning.account)) << 32 | earning.poolId;
    }

    function _entriesOf(Earning[] memory earnings, uint256 first, uint256 end)
        private
        pure
        returns (uint256[] memory entries)
    {
        entries = new uint256[](end - first);
        for (uint256 i; i < entries.length; ++i) {
            entries[i] = _entry(earnings[first + i].poolId, earnings[first + i].reward);
        }
    }
}
