// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Challenges } from "../../../contracts/Challenges.sol";
import {
    Acknowledgement,
    BatchAck,
    ClaimEvidence,
    ClaimLeafAt,
    EpochHeader,
    HashAt,
    RecordLeaf,
    SessionRecord,
    SumNode,
    SumNodeAt
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { SessionRecordLib } from "../../../contracts/libraries/SessionRecordLib.sol";
import { TypedData } from "../../../contracts/libraries/TypedData.sol";
import { Epoch, EpochTrees, NodeEpoch } from "../utils/EpochData.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";
import { Bending } from "./Bending.sol";

/// @title Adversary
/// @notice Calls every entry point of `Challenges` with material of the epochs that were committed, right and nearly
/// right. `voids` counts what it brought down.
abstract contract Adversary is Bending {
    Challenges public immutable proofs;
    uint256 private immutable _posterKey;

    /// @dev Epochs as bytes, since such structs cannot be copied to storage: what was committed, and what an honest poster
    /// acknowledged the records of.
    bytes[2] private _committed;
    bytes private _promised;

    mapping(bytes32 name => uint256) public calls;
    mapping(bytes32 name => uint256) public voids;

    constructor(Challenges proofs_, uint256 posterKey, Epoch[2] memory committed, Epoch memory promised) {
        (proofs, _posterKey) = (proofs_, posterKey);
        for (uint256 i; i < 2; ++i) {
            _committed[i] = abi.encode(committed[i]);
        }
        _promised = abi.encode(promised);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       LEAVES
    //////////////////////////////////////////////////////////////////////////*/

    function badSession(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        (uint256 p, uint256 n, uint256 s) = _anyPlace(epoch);
        RecordLeaf memory session = EpochTrees.sessionLeaf(epoch, p, n, s);
        uint128 sum = epoch.pools[p].nodes[n].sums[s];
        if (_isBent()) _bend(session);
        if (_isBentHere()) sum ^= uint128(1 << _draw(3));
        _try(
            "badSession", abi.encodeCall(proofs.badSession, (epoch.header, _rows(epoch, p, n), session, sum))
        );
    }

    function badReward(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        (uint256 p, uint256 n,) = _anyPlace(epoch);
        RecordLeaf[] memory rows = _rows(epoch, p, n);
        if (rows.length < 2) return;
        if (_isBentHere()) _bend(rows[1]);
        _try("badReward", abi.encodeCall(proofs.badReward, (epoch.header, rows[0], rows[1])));
    }

    function badSpend(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        Epoch memory parent = _parentOf(epoch);
        uint256 p = _draw(epoch.pools.length);
        uint32 poolId = _isBentHere() ? uint32(_draw(6)) : epoch.pools[p].row.poolId;
        RecordLeaf[] memory before = EpochTrees.showPool(parent, poolId);
        if (_isBentHere()) before = _bend(before);
        RecordLeaf memory pool = EpochTrees.poolLeaf(epoch, p);
        if (_isBentHere()) _bend(pool);
        _try("badSpend", abi.encodeCall(proofs.badSpend, (epoch.header, pool, parent.header, before)));
    }

    function badPool(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        uint32 poolId = uint32(_draw(7));
        RecordLeaf[] memory shown = EpochTrees.showPool(epoch, _isBentHere() ? uint32(_draw(7)) : poolId);
        if (_isBentHere() && epoch.pools.length > 2) {
            // Two that are not neighbours, around one that is there.
            shown = new RecordLeaf[](2);
            (shown[0], shown[1]) = (EpochTrees.poolLeaf(epoch, 0), EpochTrees.poolLeaf(epoch, 2));
            poolId = epoch.pools[1].row.poolId;
        } else if (_isBent()) {
            shown = _bend(shown);
        }
        _try("badPool", abi.encodeCall(proofs.badPool, (epoch.header, poolId, shown)));
    }

    function badClaim(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        Epoch memory parent = _parentOf(epoch);
        address account = _anyAccount(epoch);
        uint32 poolId = uint32(_draw(6));
        ClaimEvidence memory evidence;
        evidence.claims = EpochTrees.showAccount(epoch, account);
        evidence.parentClaims = EpochTrees.showAccount(parent, account);
        // Now and then with the rows of another pool, or of none.
        uint32 shownPool = _isBentHere() ? uint32(_draw(6)) : poolId;
        evidence.pool = EpochTrees.showPool(epoch, shownPool);
        for (uint256 p; p < epoch.pools.length; ++p) {
            bool isIt = epoch.pools[p].row.poolId == shownPool;
            if (isIt) evidence.nodes = EpochTrees.showNode(epoch, p, account);
        }
        if (_isBentHere()) evidence.pool = _bend(evidence.pool);
        if (_isBentHere()) evidence.nodes = _bend(evidence.nodes);
        if (_isBentHere() && evidence.claims.length > 0) _bend(evidence.claims[0]);
        if (_isBentHere()) evidence.claims = new ClaimLeafAt[](_draw(2));
        if (_isBentHere()) evidence.parentClaims = new ClaimLeafAt[](_draw(2));
        if (_isBentHere()) evidence.parentClaims = EpochTrees.showAccount(parent, _anyAccount(epoch));
        if (_isBentHere()) account = _anyAccount(epoch);
        _try(
            "badClaim",
            abi.encodeCall(proofs.badClaim, (epoch.header, parent.header, account, poolId, evidence))
        );
    }

    function badClaimLeaf(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        ClaimLeafAt memory claim = EpochTrees.claimLeaf(epoch, _draw(epoch.claims.length));
        if (_isBent()) _bend(claim);
        _try("badClaimLeaf", abi.encodeCall(proofs.badClaimLeaf, (epoch.header, claim)));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       TREES
    //////////////////////////////////////////////////////////////////////////*/

    function badOrder(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        (RecordLeaf[] memory rows, SumNode[] memory leaves, uint256 p, uint256 n) = _anyTree(epoch);
        uint256 left = _draw(leaves.length);
        uint256 right = _isBent() ? _draw(leaves.length) : (left + 1) % leaves.length;
        RecordLeaf memory one = _leafOf(epoch, rows.length, p, n, left);
        RecordLeaf memory other = _leafOf(epoch, rows.length, p, n, right);
        if (_isBent()) other.index = one.index + 1;
        if (_isBentHere()) _bend(one);
        if (_isBentHere()) rows = _bend(rows);
        _try("badOrder", abi.encodeCall(proofs.badOrder, (epoch.header, rows, one, other)));
    }

    function badClaimsOrder(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        uint256 left = _draw(epoch.claims.length);
        uint256 right = _isBent() ? _draw(epoch.claims.length) : (left + 1) % epoch.claims.length;
        ClaimLeafAt memory one = EpochTrees.claimLeaf(epoch, left);
        ClaimLeafAt memory other = EpochTrees.claimLeaf(epoch, right);
        if (_isBent()) other.index = one.index + 1;
        if (_isBentHere()) _bend(one);
        _try("badClaimsOrder", abi.encodeCall(proofs.badClaimsOrder, (epoch.header, one, other)));
    }

    function badSum(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        (RecordLeaf[] memory rows, SumNode[] memory leaves, uint256 p, uint256 n) = _anyTree(epoch);
        (uint256 level, uint256 index) = _anyNode(leaves.length);
        SumNodeAt memory place = SumNodeAt({
            node: ReferenceTrees.nodeAt(leaves, level, index),
            level: uint8(level),
            index: uint32(index),
            path: ReferenceTrees.path(leaves, level, index)
        });
        // The top's sum is what the row or the header above states, whatever is beneath.
        if (place.path.length == 0) place.node.sum = _statedSum(epoch, rows.length, p, n);
        bytes memory preimage = _anyPreimage(epoch, rows.length, leaves, p, n, level, index);
        if (_isBentHere()) place.path = _path(place.path);
        if (_isBentHere()) place.index = _index(place.index);
        if (_isBentHere()) place.level = uint8(_draw(2) == 0 ? level + 1 : 255);
        if (_isBentHere()) place.node.sum ^= 1;
        if (_isBentHere()) preimage = _bytes(preimage);
        if (_isBentHere()) rows = _bend(rows);
        _try("badSum", abi.encodeCall(proofs.badSum, (epoch.header, rows, place, preimage)));
    }

    function badClaimsShape(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        bytes32[] memory leaves = EpochTrees.claimHashes(epoch);
        (uint256 level, uint256 index) = _anyNode(leaves.length);
        HashAt memory place = HashAt({
            hash: ReferenceTrees.nodeAt(leaves, level, index),
            level: uint8(level),
            index: uint32(index),
            path: ReferenceTrees.path(leaves, level, index)
        });
        bytes memory preimage;
        if (_isBent() && level > 0) {
            preimage = bytes.concat(
                ReferenceTrees.nodeAt(leaves, level - 1, 2 * index),
                ReferenceTrees.nodeAt(leaves, level - 1, 2 * index + 1)
            );
        } else if (_isBent()) {
            ClaimLeafAt memory claim = EpochTrees.claimLeaf(epoch, index % leaves.length);
            preimage = bytes.concat(keccak256(abi.encodePacked(claim.leaf.account, claim.leaf.entries)));
        }
        if (_isBentHere()) place.path = _path(place.path);
        if (_isBentHere()) place.index = _index(place.index);
        if (_isBentHere()) place.level = uint8(_draw(2) == 0 ? level + 1 : 255);
        if (_isBentHere()) preimage = _bytes(preimage);
        _try("badClaimsShape", abi.encodeCall(proofs.badClaimsShape, (epoch.header, place, preimage)));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HEADERS
    //////////////////////////////////////////////////////////////////////////*/

    function omission(uint256 seed) public seeded(seed) {
        Epoch memory promised = abi.decode(_promised, (Epoch));
        Epoch memory epoch = _isBentHere() ? _anyEpoch() : _epoch(1);
        (uint256 p, uint256 n, uint256 s) = _anyPlace(promised);
        SessionRecord[] memory batch = promised.pools[p].nodes[n].records;
        // What the poster may also have acknowledged: an earlier receipt, or the same sequence with more bytes.
        if (_isBentHere()) batch[s].receipt.sequence -= 1;
        if (_isBentHere()) batch[s].receipt.bytesDelivered += 2;
        // Now and then a record that the poster never saw, in an acknowledgement that it never gave.
        uint256 forgery = _isBentHere() ? 1 + _draw(2) : 0;
        if (forgery != 0) batch[s].receipt.sequence += 2;
        Acknowledgement memory acknowledged = _acknowledge(batch, s, forgery == 1 ? 1 : _posterKey);
        if (forgery == 2) acknowledged.signature = _malleated(acknowledged.signature, 0);
        address node = _isBentHere() ? _anyAccount(epoch) : acknowledged.ack.node;
        bytes32 sessionId = batch[s].receipt.sessionId;
        if (_isBentHere()) sessionId = bytes32(uint256(sessionId) ^ (1 << 255));
        p = (_isBentHere() ? _draw(epoch.pools.length) : p) % epoch.pools.length;
        RecordLeaf[] memory above = EpochTrees.above(epoch, p);
        RecordLeaf[] memory shown = EpochTrees.showNode(epoch, p, node);
        if (shown.length == 1 && !_isBentHere()) {
            n = shown[0].index;
            above = EpochTrees.above(epoch, p, n);
            shown = EpochTrees.showSession(epoch, p, n, sessionId);
        }
        if (_isBentHere()) acknowledged.signature = _bytes(acknowledged.signature);
        if (_isBentHere()) acknowledged.path = _path(acknowledged.path);
        if (_isBentHere()) acknowledged.record = _bytes(acknowledged.record);
        if (_isBentHere()) shown = _bend(shown);
        if (_isBentHere()) above = _bend(above);
        _try("omission", abi.encodeCall(proofs.omission, (epoch.header, acknowledged, above, shown)));
    }

    function badParent(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        EpochHeader memory parent = _parentOf(epoch).header;
        if (_isBent()) parent.dataHash = bytes32(uint256(parent.dataHash) ^ (1 << _draw(256)));
        _try("badParent", abi.encodeCall(proofs.badParent, (epoch.header, parent)));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    function _try(bytes32 name, bytes memory call) internal {
        ++calls[name];
        (bool done,) = address(proofs).call(call);
        if (done) ++voids[name];
    }

    function _epoch(uint256 number) internal view returns (Epoch memory) {
        return abi.decode(_committed[number], (Epoch));
    }

    /// @dev Mostly the last one, of which there is more to say.
    function _anyEpoch() internal returns (Epoch memory epoch) {
        epoch = _epoch(_draw(4) == 0 ? 0 : 1);
    }

    function _parentOf(Epoch memory epoch) internal returns (Epoch memory) {
        return _epoch(epoch.header.epoch == 0 || _isBentHere() ? _draw(2) : 0);
    }

    function _anyPlace(Epoch memory epoch) internal returns (uint256 p, uint256 n, uint256 s) {
        p = _draw(epoch.pools.length);
        while (epoch.pools[p].nodes.length == 0) p = (p + 1) % epoch.pools.length;
        n = _draw(epoch.pools[p].nodes.length);
        s = _draw(epoch.pools[p].nodes[n].records.length);
    }

    function _anyAccount(Epoch memory epoch) internal returns (address) {
        if (_isBentHere()) return address(uint160(_draw(type(uint160).max)));
        if (_isBentHere()) return address(0);
        address account = epoch.claims[_draw(epoch.claims.length)].account;
        return _isBentHere() ? address(uint160(account) + 1) : account;
    }

    function _rows(Epoch memory epoch, uint256 p, uint256 n) internal returns (RecordLeaf[] memory rows) {
        rows = EpochTrees.above(epoch, p, n);
        if (_isBentHere()) rows = _bend(rows);
        if (_isBentHere() && rows.length > 1) (rows[0], rows[1]) = (rows[1], rows[0]);
        if (_isBentHere() && rows.length > 0) {
            Epoch memory other = _epoch(1 - epoch.header.epoch);
            rows[0] = EpochTrees.poolLeaf(other, _draw(other.pools.length));
        }
    }

    function _anyTree(Epoch memory epoch)
        internal
        returns (RecordLeaf[] memory rows, SumNode[] memory leaves, uint256 p, uint256 n)
    {
        (p, n,) = _anyPlace(epoch);
        uint256 kind = _draw(3);
        if (kind == 0) return (EpochTrees.above(), EpochTrees.poolLeaves(epoch), p, n);
        if (kind == 1) return (EpochTrees.above(epoch, p), EpochTrees.nodeLeaves(epoch.pools[p]), p, n);
        return (EpochTrees.above(epoch, p, n), EpochTrees.sessionLeaves(epoch.pools[p].nodes[n]), p, n);
    }

    function _leafOf(Epoch memory epoch, uint256 rows, uint256 p, uint256 n, uint256 index)
        internal
        pure
        returns (RecordLeaf memory)
    {
        if (rows == 0) return EpochTrees.poolLeaf(epoch, index);
        if (rows == 1) return EpochTrees.nodeLeaf(epoch, p, index);
        return EpochTrees.sessionLeaf(epoch, p, n, index);
    }

    function _statedSum(Epoch memory epoch, uint256 rows, uint256 p, uint256 n)
        internal
        pure
        returns (uint128)
    {
        if (rows == 0) return epoch.header.weight;
        return rows == 1 ? epoch.pools[p].row.weight : epoch.pools[p].nodes[n].row.weight;
    }

    /// @dev Any node of a tree with so many leaves, also over padding.
    function _anyNode(uint256 count) internal returns (uint256 level, uint256 index) {
        uint256 depth;
        while (1 << depth < count) ++depth;
        level = _draw(depth + 1);
        index = _draw(1 << (depth - level));
    }

    /// @dev None, the node's own or one of another kind or place.
    function _anyPreimage(
        Epoch memory epoch,
        uint256 rows,
        SumNode[] memory leaves,
        uint256 p,
        uint256 n,
        uint256 level,
        uint256 index
    ) internal returns (bytes memory) {
        uint256 way = _draw(4);
        if (way == 0) return "";
        if (level > 0 && way < 3) {
            return ReferenceTrees.innerPreimage(
                ReferenceTrees.nodeAt(leaves, level - 1, 2 * index),
                ReferenceTrees.nodeAt(leaves, level - 1, 2 * index + 1)
            );
        }
        uint256 leaf = level == 0 && index < leaves.length ? index : _draw(leaves.length);
        bytes memory record = _leafOf(epoch, rows, p, n, leaf).record;
        if (way == 1) return record;
        return bytes.concat(hex"00", keccak256(record), bytes16(leaves[leaf].sum));
    }

    function _acknowledge(SessionRecord[] memory batch, uint256 index, uint256 key)
        internal
        returns (Acknowledgement memory acknowledged)
    {
        bytes32[] memory leaves = new bytes32[](batch.length);
        for (uint256 i; i < leaves.length; ++i) {
            leaves[i] = keccak256(bytes.concat(keccak256(SessionRecordLib.encode(batch[i]))));
        }
        acknowledged.ack = BatchAck({
            node: batch[index].ticket.node,
            epoch: _isBentHere() ? 0 : batch[index].ticket.epoch,
            batchNumber: uint64(_draw(3)),
            acceptedRoot: ReferenceTrees.root(leaves),
            accepted: uint32(batch.length),
            receivedAt: uint64(_draw(1e9))
        });
        acknowledged.record = SessionRecordLib.encode(batch[index]);
        acknowledged.index = uint32(index);
        acknowledged.path = ReferenceTrees.path(leaves, index);
        bytes32 digest = TypedData.digest(proofs.epochBook(), TypedData.hash(acknowledged.ack));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        acknowledged.signature = abi.encodePacked(r, s, v);
    }
}
