// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IDataDemands } from "./interfaces/IDataDemands.sol";
import { IEpochBook } from "./interfaces/IEpochBook.sol";
import { ChunkShape } from "./libraries/ChunkShape.sol";
import { Errors } from "./libraries/Errors.sol";
import { HeaderLib } from "./libraries/HeaderLib.sol";
import { PlainChunk } from "./libraries/PlainChunk.sol";
import { PlainTree } from "./libraries/PlainTree.sol";
import { ClaimLeaf, EpochHeader, RecordLeaf, SumNode } from "./libraries/ProtocolTypes.sol";
import { Rows } from "./libraries/Rows.sol";
import { SessionRecordLib } from "./libraries/SessionRecordLib.sol";
import { SumChunk } from "./libraries/SumChunk.sol";
import { SumTree } from "./libraries/SumTree.sol";
import { TreeDepth } from "./libraries/TreeDepth.sol";

/// @title DataDemands
/// @notice See `IDataDemands`. No owner, no proxy; ether leaves by `withdrawCredit` alone.
contract DataDemands is IDataDemands {
    using SafeCast for uint256;

    /*//////////////////////////////////////////////////////////////////////////
                                       TYPES
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev An open or answered demand, in one word. `answerBy` is 0 once it is answered; nothing is kept of one that
    /// expired or was reclaimed, since its commit is gone or final.
    struct Demand {
        address demander;
        uint96 answerBy;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     CONSTANTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The most entries of a leaf of the claims tree.
    uint256 private constant MAX_ENTRIES = 256;

    /// @dev The challenge window holds at least this many times `responseSeconds`: a demand and what it leads to.
    uint256 private constant LEAST_RESPONSES = 4;

    /*//////////////////////////////////////////////////////////////////////////
                                     IMMUTABLES
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataDemands
    address public immutable override epochBook;

    /// @inheritdoc IDataDemands
    uint64 public immutable override responseSeconds;

    /// @inheritdoc IDataDemands
    uint256 public immutable override demandBondWei;

    /// @dev The book's.
    uint64 private immutable _challengeSeconds;

    /*//////////////////////////////////////////////////////////////////////////
                                      STORAGE
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataDemands
    mapping(address account => uint256 amount) public override creditOf;

    mapping(bytes32 demandId => Demand demand) private _demands;

    /*//////////////////////////////////////////////////////////////////////////
                                    CONSTRUCTOR
    //////////////////////////////////////////////////////////////////////////*/

    /// @param epochBook_ The book; this contract must be its `dataDemands`.
    /// @param responseSeconds_ At least 1, and at most a quarter of the book's challenge window.
    /// @param demandBondWei_ Not 0. It should be more than the dearest answer costs.
    constructor(address epochBook_, uint64 responseSeconds_, uint256 demandBondWei_) {
        uint64 challengeSeconds = IEpochBook(epochBook_).challengeSeconds();
        if (responseSeconds_ == 0 || LEAST_RESPONSES * responseSeconds_ > challengeSeconds) {
            revert Errors.DataDemands_BadParameter("responseSeconds");
        }
        if (demandBondWei_ == 0) revert Errors.DataDemands_BadParameter("demandBondWei");

        // slither-disable-next-line missing-zero-check
        epochBook = epochBook_;
        responseSeconds = responseSeconds_;
        demandBondWei = demandBondWei_;
        _challengeSeconds = challengeSeconds;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      DEMANDS
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataDemands
    function demand(
        EpochHeader calldata header,
        RecordLeaf[] calldata above,
        Tree tree,
        uint8 level,
        uint32 index
    ) external payable override returns (bytes32 demandId) {
        // Check
        if (msg.value != demandBondWei) revert Errors.DataDemands_WrongBond(msg.value, demandBondWei);
        Chunk memory chunk = _treeOf(header, above, tree);
        (chunk.tree, chunk.level, chunk.index) = (tree, level, index);
        if (level > TreeDepth.depthOf(chunk.count) || ChunkShape.isPadding(level, index, chunk.count)) {
            revert Errors.Tree_NoSuchNode(level, index);
        }
        (chunk.epoch, chunk.headerHash) = (header.epoch, HeaderLib.hash(header));
        (bool pending, uint256 committedAt) = _pendingSince(chunk.epoch, chunk.headerHash);
        if (!pending) revert Errors.DataDemands_HeaderNotPending(chunk.epoch, chunk.headerHash);
        uint256 latest = committedAt + _challengeSeconds - 2 * uint256(responseSeconds);
        if (block.timestamp > latest) revert Errors.DataDemands_TooLate(latest);
        chunk.committedAt = committedAt.toUint64();
        demandId = keccak256(abi.encode(chunk));
        if (_demands[demandId].demander != address(0)) {
            revert Errors.DataDemands_AlreadyDemanded(demandId);
        }

        // Effect
        uint256 answerBy = block.timestamp + responseSeconds;
        _demands[demandId] = Demand({ demander: msg.sender, answerBy: answerBy.toUint96() });
        emit Demanded(demandId, chunk.epoch, msg.sender, chunk, answerBy);
    }

    /// @inheritdoc IDataDemands
    function publishRecords(Chunk calldata chunk, bytes[] calldata records, SumNode[] calldata path)
        external
        override
    {
        (bytes32 demandId, Tree tree, uint256 level) = _requireAnswerable(chunk);
        if (tree == Tree.Claims || level > ChunkShape.LEAF_LEVELS) revert Errors.DataDemands_WrongChunk();
        if (records.length != ChunkShape.leavesUnder(level, chunk.index, chunk.count)) {
            revert Errors.DataDemands_WrongChunk();
        }
        // What is beyond the records stays zero: empty leaves.
        SumNode[] memory leaves = new SumNode[](2 ** level);
        for (uint256 i; i < records.length; ++i) {
            leaves[i] = _leafOf(tree, records[i]);
        }
        _requireTop(chunk, leaves, path);

        _setAnswered(demandId);
        emit RecordsPublished(demandId, records);
    }

    /// @inheritdoc IDataDemands
    function publishNodes(Chunk calldata chunk, SumNode[] calldata nodes, SumNode[] calldata path)
        external
        override
    {
        (bytes32 demandId, Tree tree, uint256 level) = _requireAnswerable(chunk);
        if (tree == Tree.Claims || level <= ChunkShape.LEAF_LEVELS) revert Errors.DataDemands_WrongChunk();
        uint256 nodesLevel = ChunkShape.nodesLevelOf(level);
        uint256 below = level - nodesLevel;
        if (nodes.length != 2 ** below) revert Errors.DataDemands_WrongChunk();
        SumNode[] memory kept = nodes;
        SumChunk.requireEmptyPadding(kept, nodesLevel, uint256(chunk.index) << below, chunk.count);
        _requireTop(chunk, kept, path);

        _setAnswered(demandId);
        emit NodesPublished(demandId, nodes);
    }

    /// @inheritdoc IDataDemands
    function publishClaims(Chunk calldata chunk, ClaimLeaf[] calldata leaves, bytes32[] calldata path)
        external
        override
    {
        (bytes32 demandId, Tree tree, uint256 level) = _requireAnswerable(chunk);
        if (tree != Tree.Claims || level > ChunkShape.LEAF_LEVELS) revert Errors.DataDemands_WrongChunk();
        if (leaves.length != ChunkShape.leavesUnder(level, chunk.index, chunk.count)) {
            revert Errors.DataDemands_WrongChunk();
        }
        // What is beyond the leaves stays zero: empty leaves.
        bytes32[] memory hashes = new bytes32[](2 ** level);
        for (uint256 i; i < leaves.length; ++i) {
            if (leaves[i].entries.length > MAX_ENTRIES) revert Errors.DataDemands_WrongChunk();
            hashes[i] = PlainTree.claimLeafOf(leaves[i]);
        }
        _requireRoot(chunk, hashes, path);

        _setAnswered(demandId);
        emit ClaimsPublished(demandId, leaves);
    }

    /// @inheritdoc IDataDemands
    function publishHashes(Chunk calldata chunk, bytes32[] calldata hashes, bytes32[] calldata path)
        external
        override
    {
        (bytes32 demandId, Tree tree, uint256 level) = _requireAnswerable(chunk);
        if (tree != Tree.Claims || level <= ChunkShape.LEAF_LEVELS) revert Errors.DataDemands_WrongChunk();
        uint256 nodesLevel = ChunkShape.nodesLevelOf(level);
        uint256 below = level - nodesLevel;
        if (hashes.length != 2 ** below) revert Errors.DataDemands_WrongChunk();
        bytes32[] memory kept = hashes;
        PlainChunk.requireEmptyPadding(kept, nodesLevel, uint256(chunk.index) << below, chunk.count);
        _requireRoot(chunk, kept, path);

        _setAnswered(demandId);
        emit HashesPublished(demandId, hashes);
    }

    /// @inheritdoc IDataDemands
    function expire(Chunk calldata chunk) external override {
        // Check
        (bytes32 demandId, Demand memory open) = _requireOpen(chunk);
        if (block.timestamp < open.answerBy) revert Errors.DataDemands_TimeLeft(open.answerBy);
        if (!_stands(chunk)) revert Errors.DataDemands_HeaderNotPending(chunk.epoch, chunk.headerHash);

        // Effect
        delete _demands[demandId];
        creditOf[open.demander] += demandBondWei;
        emit DemandExpired(demandId, open.demander);

        // Interaction
        IEpochBook(epochBook).void(chunk.epoch, open.demander);
    }

    /// @inheritdoc IDataDemands
    function reclaim(Chunk calldata chunk) external override {
        (bytes32 demandId, Demand memory open) = _requireOpen(chunk);
        if (_stands(chunk)) revert Errors.DataDemands_HeaderStands(chunk.epoch);

        delete _demands[demandId];
        creditOf[open.demander] += demandBondWei;
        emit DemandReclaimed(demandId, open.demander);
    }

    /// @inheritdoc IDataDemands
    function withdrawCredit(address to) external override {
        uint256 amount = creditOf[msg.sender];
        if (amount == 0) revert Errors.DataDemands_NothingToWithdraw(msg.sender);

        creditOf[msg.sender] = 0;
        emit CreditWithdrawn(msg.sender, to, amount);

        // slither-disable-next-line low-level-calls,missing-zero-check
        (bool sent,) = to.call{ value: amount }("");
        if (!sent) revert Errors.DataDemands_WithdrawalFailed(to, amount);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       VIEWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataDemands
    function demandIdOf(Chunk calldata chunk) public pure override returns (bytes32) {
        return keccak256(abi.encode(chunk));
    }

    /// @inheritdoc IDataDemands
    function demandOf(bytes32 demandId) external view override returns (address demander, uint256 answerBy) {
        Demand memory found = _demands[demandId];
        return (found.demander, found.answerBy);
    }

    /// @inheritdoc IDataDemands
    function leafLevels() external pure override returns (uint256) {
        return ChunkShape.LEAF_LEVELS;
    }

    /// @inheritdoc IDataDemands
    function nodesLevelOf(uint256 level) external pure override returns (uint256) {
        return ChunkShape.nodesLevelOf(level);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Root, sum and count of the tree; reverts unless the rows are those over it, and leaves of the trees above.
    function _treeOf(EpochHeader calldata header, RecordLeaf[] calldata above, Tree tree)
        private
        pure
        returns (Chunk memory chunk)
    {
        uint256 rows = tree == Tree.Nodes ? 1 : tree == Tree.Sessions ? 2 : 0;
        if (above.length != rows) revert Errors.DataDemands_WrongChunk();
        if (tree == Tree.Claims) {
            (chunk.root, chunk.count) = (header.claimsRoot, header.claimCount);
            return chunk;
        }
        Rows.Tree memory found = Rows.treeUnder(header, above);
        (chunk.root, chunk.sum, chunk.count) = (found.top.hash, found.top.sum, found.count.toUint32());
    }

    /// @dev The leaf of an encoded record, with the sum that the record itself says.
    function _leafOf(Tree tree, bytes calldata record) private pure returns (SumNode memory) {
        uint128 sum = tree == Tree.Sessions
            ? SessionRecordLib.weightOf(record)
            : tree == Tree.Nodes ? Rows.decodeNode(record).weight : Rows.decodePool(record).weight;
        return SumTree.leaf(keccak256(record), sum);
    }

    /// @dev Reverts unless the nodes are what is under the chunk's node.
    function _requireTop(Chunk calldata chunk, SumNode[] memory nodes, SumNode[] calldata path) private pure {
        SumNode memory top = SumNode({ hash: chunk.root, sum: chunk.sum });
        SumChunk.requireTop(SumChunk.topOf(nodes), chunk.level, chunk.index, chunk.count, path, top);
    }

    /// @dev Reverts unless the nodes are what is under the chunk's node.
    function _requireRoot(Chunk calldata chunk, bytes32[] memory nodes, bytes32[] calldata path)
        private
        pure
    {
        PlainChunk.requireRoot(
            PlainChunk.topOf(nodes), chunk.level, chunk.index, chunk.count, path, chunk.root
        );
    }

    /// @dev Reverts unless the chunk's demand is open.
    function _requireOpen(Chunk calldata chunk) private view returns (bytes32 demandId, Demand memory open) {
        demandId = demandIdOf(chunk);
        open = _demands[demandId];
        if (open.answerBy == 0) revert Errors.DataDemands_NotOpen(demandId);
    }

    /// @dev Reverts unless the chunk's demand is open, in time, and of a header that stands: an answer for one that does
    /// not is worth nothing to the demander, and the poster may be another by now.
    function _requireAnswerable(Chunk calldata chunk)
        private
        view
        returns (bytes32 demandId, Tree tree, uint256 level)
    {
        Demand memory open;
        (demandId, open) = _requireOpen(chunk);
        if (block.timestamp >= open.answerBy) revert Errors.DataDemands_AnswerLate(open.answerBy);
        if (!_stands(chunk)) revert Errors.DataDemands_HeaderNotPending(chunk.epoch, chunk.headerHash);
        return (demandId, chunk.tree, chunk.level);
    }

    /// @dev Closes a demand and credits its bond to the poster, whose header it is of: pending headers are always the
    /// current poster's.
    function _setAnswered(bytes32 demandId) private {
        _demands[demandId].answerBy = 0;
        creditOf[IEpochBook(epochBook).poster()] += demandBondWei;
    }

    /// @dev Whether the chunk's header is pending and was not committed again since.
    function _stands(Chunk calldata chunk) private view returns (bool) {
        (bool pending, uint256 committedAt) = _pendingSince(chunk.epoch, chunk.headerHash);
        return pending && committedAt == chunk.committedAt;
    }

    /// @dev Whether that is the epoch's header and not final, and when it was committed, in Unix seconds.
    function _pendingSince(uint64 epoch, bytes32 headerHash) private view returns (bool, uint256) {
        (bytes28 digest, uint256 committedAt, bool finalised) = IEpochBook(epochBook).commitment(epoch);
        return (digest == HeaderLib.digest(headerHash) && !finalised, committedAt);
    }
}
