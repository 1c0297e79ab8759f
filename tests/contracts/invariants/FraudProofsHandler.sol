// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Challenges } from "../../../contracts/Challenges.sol";
import { DataDemands } from "../../../contracts/DataDemands.sol";
import { EpochBook } from "../../../contracts/EpochBook.sol";
import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { ClaimLeaf, EpochHeader, RecordLeaf, SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { Epoch, EpochTrees } from "../utils/EpochData.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";
import { Adversary } from "./Adversary.sol";

/// @title FraudProofsHandler
/// @notice An adversary that also demands, answers, expires and reclaims; a guardian that vetoes; and a poster that commits the
/// same headers again and, if it is honest, answers every demand in time.
contract FraudProofsHandler is Adversary {
    /// @dev A demand, and where its tree is.
    struct Asked {
        IDataDemands.Chunk chunk;
        uint256 p;
        uint256 n;
    }

    DataDemands public immutable demands;
    EpochBook public immutable book;
    bool private immutable _answers;
    address[3] public accounts = [address(0xd0), address(0xd1), address(0xd2)];

    Asked[] private _asked;

    /// What the outside saw, apart from the contracts' own books.
    uint256 public paidIn;
    uint256 public paidOut;

    constructor(
        Challenges proofs_,
        DataDemands demands_,
        uint256 posterKey,
        Epoch[2] memory committed,
        Epoch memory promised,
        bool answers
    ) Adversary(proofs_, posterKey, committed, promised) {
        (demands, book, _answers) = (demands_, EpochBook(demands_.epochBook()), answers);
    }

    function askedCount() external view returns (uint256) {
        return _asked.length;
    }

    function demandIdAt(uint256 i) external view returns (bytes32) {
        return demands.demandIdOf(_asked[i].chunk);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      ADVERSARY
    //////////////////////////////////////////////////////////////////////////*/

    function demand(uint256 seed) public seeded(seed) {
        Epoch memory epoch = _anyEpoch();
        (RecordLeaf[] memory above, SumNode[] memory leaves, uint256 p, uint256 n) = _anyTree(epoch);
        IDataDemands.Tree tree = IDataDemands.Tree(above.length);
        uint256 count = leaves.length;
        if (_draw(4) == 0) {
            (tree, above, count) = (IDataDemands.Tree.Claims, new RecordLeaf[](0), epoch.claims.length);
        }
        (uint256 level, uint256 index) = _anyNode(count);
        if (_isBentHere()) level = _draw(256);
        if (_isBentHere()) index = _index(index);
        if (_isBentHere()) above = _bend(above);
        uint256 bond = _isBentHere() ? _draw(1 ether) : demands.demandBondWei();
        address account = accounts[_draw(3)];
        vm.deal(account, bond);
        ++calls["demand"];
        (, uint256 committedAt,) = book.commitment(epoch.header.epoch);
        vm.prank(account);
        try demands.demand{ value: bond }(epoch.header, above, tree, uint8(level), uint32(index)) {
            ++voids["demand"];
            paidIn += bond;
            IDataDemands.Chunk memory chunk = _chunk(epoch, tree, p, n, uint8(level), uint32(index));
            chunk.committedAt = uint64(committedAt);
            _asked.push(Asked(chunk, p, n));
        } catch { }
    }

    /// @dev Anyone may answer; what it answers with may be bent, and the demand over.
    function publish(uint256 seed) public seeded(seed) {
        if (_asked.length == 0) return;
        _publish(_asked[_draw(_asked.length)], _isBent());
    }

    function expire(uint256 seed) public seeded(seed) {
        if (_asked.length == 0) return;
        IDataDemands.Chunk memory chunk = _asked[_draw(_asked.length)].chunk;
        // As if it had been demanded of the present commit.
        if (_isBentHere()) (, chunk.committedAt) = _present(chunk.epoch);
        ++calls["expire"];
        try demands.expire(chunk) {
            ++voids["expire"];
        } catch { }
    }

    function reclaim(uint256 seed) public seeded(seed) {
        if (_asked.length == 0) return;
        IDataDemands.Chunk memory chunk = _asked[_draw(_asked.length)].chunk;
        ++calls["reclaim"];
        try demands.reclaim(chunk) {
            ++voids["reclaim"];
        } catch { }
    }

    function withdrawCredit(uint256 seed) public seeded(seed) {
        uint256 who = _draw(4);
        address account = who == 3 ? book.poster() : accounts[who];
        uint256 credit = demands.creditOf(account);
        ++calls["withdrawCredit"];
        vm.prank(account);
        try demands.withdrawCredit(account) {
            ++voids["withdrawCredit"];
            paidOut += credit;
        } catch { }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                  GUARDIAN AND POSTER
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The header is as good as before, but owes new answers; in the same second also the old ones.
    function vetoAndCommitAgain(uint256 seed) public seeded(seed) {
        uint64 first = book.finalisedEpochs();
        if (first == 2 || _draw(3) != 0) return;
        uint64 epoch = first + uint64(_draw(2 - first));
        address guardian = book.guardian();
        vm.prank(guardian);
        book.veto(epoch);
        if (_draw(3) == 0) _pass(_draw(1 days));
        for (; epoch < 2; ++epoch) {
            EpochHeader memory header = _epoch(epoch).header;
            address poster = book.poster();
            vm.prank(poster);
            book.commit(header);
        }
        ++calls["vetoAndCommitAgain"];
    }

    function pass(uint256 seed) public seeded(seed) {
        _pass(_draw(4 hours));
    }

    function finalise(uint256 seed) public seeded(seed) {
        uint64 epoch = book.finalisedEpochs();
        if (epoch == 2 || _draw(8) != 0) return;
        (, uint256 committedAt,) = book.commitment(epoch);
        uint256 until = committedAt + book.challengeSeconds();
        if (vm.getBlockTimestamp() < until) _pass(until - vm.getBlockTimestamp());
        book.finalise(epoch);
        ++calls["finalise"];
    }

    /// @dev The honest poster answers before time passes.
    function _pass(uint256 time) private {
        for (uint256 i; _answers && i < _asked.length; ++i) {
            _publish(_asked[i], false);
        }
        vm.warp(vm.getBlockTimestamp() + time);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    function _publish(Asked memory asked, bool isBent) private {
        IDataDemands.Chunk memory chunk = asked.chunk;
        bytes memory call =
            chunk.tree == IDataDemands.Tree.Claims ? _claims(asked, isBent) : _records(asked, isBent);
        ++calls["publish"];
        (bool done,) = address(demands).call(call);
        if (done) ++voids["publish"];
    }

    function _records(Asked memory asked, bool isBent) private returns (bytes memory) {
        Epoch memory epoch = _epoch(asked.chunk.epoch);
        uint256 rows = uint256(asked.chunk.tree);
        (uint256 level, uint256 index) = (asked.chunk.level, asked.chunk.index);
        SumNode[] memory leaves = _leaves(epoch, rows, asked.p, asked.n);
        bytes[] memory records = new bytes[](_width(level, index, leaves.length));
        for (uint256 i; i < records.length; ++i) {
            records[i] = _leafOf(epoch, rows, asked.p, asked.n, (index << level) + i).record;
        }
        SumNode[] memory path = ReferenceTrees.path(leaves, level, index);
        if (isBent && _isBent()) path = _path(path);
        if (isBent && records.length > 0) {
            uint256 place = _draw(records.length);
            records[place] = _bytes(records[place]);
        }
        return abi.encodeCall(demands.publishRecords, (asked.chunk, records, path));
    }

    function _claims(Asked memory asked, bool isBent) private returns (bytes memory) {
        Epoch memory epoch = _epoch(asked.chunk.epoch);
        (uint256 level, uint256 index) = (asked.chunk.level, asked.chunk.index);
        bytes32[] memory leaves = EpochTrees.claimHashes(epoch);
        ClaimLeaf[] memory claims = new ClaimLeaf[](_width(level, index, leaves.length));
        for (uint256 i; i < claims.length; ++i) {
            claims[i] = epoch.claims[(index << level) + i];
        }
        bytes32[] memory path = ReferenceTrees.path(leaves, level, index);
        if (isBent && _isBent()) path = _path(path);
        if (isBent && claims.length > 0) claims[_draw(claims.length)].account = address(1);
        return abi.encodeCall(demands.publishClaims, (asked.chunk, claims, path));
    }

    function _leaves(Epoch memory epoch, uint256 rows, uint256 p, uint256 n)
        private
        pure
        returns (SumNode[] memory)
    {
        if (rows == 0) return EpochTrees.poolLeaves(epoch);
        return
            rows == 1
                ? EpochTrees.nodeLeaves(epoch.pools[p])
                : EpochTrees.sessionLeaves(epoch.pools[p].nodes[n]);
    }

    function _width(uint256 level, uint256 index, uint256 count) private pure returns (uint256) {
        uint256 left = count - (index << level);
        return left < 1 << level ? left : 1 << level;
    }

    function _chunk(
        Epoch memory epoch,
        IDataDemands.Tree tree,
        uint256 p,
        uint256 n,
        uint8 level,
        uint32 index
    ) private pure returns (IDataDemands.Chunk memory chunk) {
        (chunk.epoch, chunk.tree, chunk.level, chunk.index) = (epoch.header.epoch, tree, level, index);
        chunk.headerHash = _hash(epoch.header);
        if (tree == IDataDemands.Tree.Claims) {
            (chunk.root, chunk.count) = (epoch.header.claimsRoot, epoch.header.claimCount);
            return chunk;
        }
        SumNode[] memory leaves = _leaves(epoch, uint256(tree), p, n);
        chunk.root = ReferenceTrees.root(leaves).hash;
        chunk.sum = _statedSum(epoch, uint256(tree), p, n);
        chunk.count = uint32(leaves.length);
    }

    function _present(uint64 epoch) private view returns (bytes28 digest, uint64 committedAt) {
        uint256 time;
        (digest, time,) = book.commitment(epoch);
        committedAt = uint64(time);
    }

    function _hash(EpochHeader memory header) private pure returns (bytes32) {
        bytes memory front =
            abi.encodePacked(header.epoch, header.parent, header.poolsRoot, header.poolCount, header.weight);
        return keccak256(bytes.concat(front, header.claimsRoot, bytes4(header.claimCount), header.dataHash));
    }
}
