// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClaimLeaf, EpochHeader, RecordLeaf, SumNode } from "../libraries/ProtocolTypes.sol";

/// @title IDataDemands
/// @notice Withheld data defeats every proof, so anyone may demand a part of a tree with a bond: it is published on
/// chain within `responseSeconds`, or the header is void. See docs/protocol.md section 8.
/// @dev A part of a tree (`Chunk`) is what lies under one of its nodes. Up to `leafLevels` above the leaves it is
/// answered by the leaves themselves, from higher up by the nodes some levels below, of which a challenger demands on
/// those that are not what it computed. An answer must lead to the committed root with right sums, right kinds and empty
/// padding; so a tree that is not well-formed has parts that nobody can answer for. An honest poster can answer every demand and earns
/// its bond.
interface IDataDemands {
    /*//////////////////////////////////////////////////////////////////////////
                                       TYPES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Which tree a chunk is of.
    enum Tree {
        Pools,
        Nodes,
        Sessions,
        Claims
    }

    /// @notice What is under one node of a tree of a header.
    /// @param epoch The header's.
    /// @param headerHash The header's.
    /// @param committedAt When it was committed, in Unix seconds: a header that is committed again owes new answers.
    /// @param tree Which tree.
    /// @param root The tree's root hash.
    /// @param sum The tree's sum; 0 for the claims tree.
    /// @param count How many leaves the tree has.
    /// @param level The node's, 0 for leaves.
    /// @param index The node's place among the nodes of its level.
    struct Chunk {
        uint64 epoch;
        bytes32 headerHash;
        uint64 committedAt;
        Tree tree;
        bytes32 root;
        uint128 sum;
        uint32 count;
        uint8 level;
        uint32 index;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       EVENTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice A chunk was demanded; the header can be voided unless it is published before `answerBy`, in Unix
    /// seconds.
    event Demanded(
        bytes32 indexed demandId,
        uint64 indexed epoch,
        address indexed demander,
        Chunk chunk,
        uint256 answerBy
    );

    /// @notice A demand was answered: these are the rows or session records under the node, in order.
    event RecordsPublished(bytes32 indexed demandId, bytes[] records);

    /// @notice A demand was answered: these are the nodes of the sum tree below the node, in order.
    event NodesPublished(bytes32 indexed demandId, SumNode[] nodes);

    /// @notice A demand was answered: these are the leaves of the claims tree under the node, in order.
    event ClaimsPublished(bytes32 indexed demandId, ClaimLeaf[] leaves);

    /// @notice A demand was answered: these are the nodes of the claims tree below the node, in order.
    event HashesPublished(bytes32 indexed demandId, bytes32[] hashes);

    /// @notice Nobody answered in time: the header is void, and the demander has its bond back and the reward.
    event DemandExpired(bytes32 indexed demandId, address indexed demander);

    /// @notice The header fell otherwise before the answer, or became final: the demander has its bond back.
    event DemandReclaimed(bytes32 indexed demandId, address indexed demander);

    /// @notice Credit was paid out.
    event CreditWithdrawn(address indexed account, address indexed to, uint256 amount);

    /*//////////////////////////////////////////////////////////////////////////
                                      DEMANDS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Demands what is under a node of a tree. The ether sent must be `demandBondWei`.
    /// @dev Anyone, while the header is pending and at least twice `responseSeconds` of its challenge window are left: once
    /// for the answer, once for what follows from it. Each chunk of a commit is demanded once at the most.
    /// @param above For a sum tree: none for the pools tree, a pool's row for its nodes tree, with a node's row after it
    /// for that node's sessions tree. None for the claims tree.
    /// @param tree Which tree; a sum tree must be the one that `above` leads to.
    /// @param level The node's; not above the root.
    /// @param index The node's place; what is under it must not be padding alone.
    function demand(
        EpochHeader calldata header,
        RecordLeaf[] calldata above,
        Tree tree,
        uint8 level,
        uint32 index
    ) external payable returns (bytes32 demandId);

    /// @notice Answers for a sum tree, up to `leafLevels`, with the leaves' records.
    /// @dev Anyone, in time; the bond is credited to the poster.
    /// @param path The siblings from the node up.
    function publishRecords(Chunk calldata chunk, bytes[] calldata records, SumNode[] calldata path) external;

    /// @notice Answers for a sum tree, above `leafLevels`, with the nodes of level `nodesLevelOf(chunk.level)` under the node.
    /// @dev Anyone, in time; the bond is credited to the poster. Nodes over padding alone are given too, and are empty.
    /// @param path The siblings from the node up.
    function publishNodes(Chunk calldata chunk, SumNode[] calldata nodes, SumNode[] calldata path) external;

    /// @notice Answers for the claims tree, up to `leafLevels`, with the leaves.
    /// @dev Anyone, in time; the bond is credited to the poster.
    /// @param path The siblings from the node up.
    function publishClaims(Chunk calldata chunk, ClaimLeaf[] calldata leaves, bytes32[] calldata path)
        external;

    /// @notice Answers for the claims tree, above `leafLevels`, with the nodes of level `nodesLevelOf(chunk.level)` under the
    /// node.
    /// @dev Anyone, in time; the bond is credited to the poster. Nodes over padding alone are given too, and are empty.
    /// @param path The siblings from the node up.
    function publishHashes(Chunk calldata chunk, bytes32[] calldata hashes, bytes32[] calldata path) external;

    /// @notice Voids the header of a demand that nobody answered in time.
    /// @dev Anyone, from `answerBy` on until the header is final. The reward and the bond go to the demander, whoever calls.
    function expire(Chunk calldata chunk) external;

    /// @notice Gives the bond of an open demand back whose header no longer stands, or is final.
    /// @dev Anyone; the bond is credited to the demander.
    function reclaim(Chunk calldata chunk) external;

    /// @notice Pays the caller's credit.
    /// @dev Anyone, its own. A receiver that refuses ether blocks itself alone.
    function withdrawCredit(address to) external;

    /*//////////////////////////////////////////////////////////////////////////
                                       VIEWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice The book whose headers are demanded of.
    function epochBook() external view returns (address);

    /// @notice How long an answer may take.
    function responseSeconds() external view returns (uint64);

    /// @notice The bond of a demand, which pays for its answer.
    function demandBondWei() external view returns (uint256);

    /// @notice Ether that the account can withdraw.
    function creditOf(address account) external view returns (uint256);

    /// @notice The name of the demand of a chunk.
    function demandIdOf(Chunk calldata chunk) external pure returns (bytes32);

    /// @notice What is known of a demand: zeros where there is none.
    /// @return demander Who demanded.
    /// @return answerBy Until when, in Unix seconds; 0 once it is answered, expired or reclaimed.
    function demandOf(bytes32 demandId) external view returns (address demander, uint256 answerBy);

    /// @notice Up to this level a demand is answered with leaves.
    function leafLevels() external pure returns (uint256);

    /// @notice The level of the nodes that answer for a node above `leafLevels`: six below it, but not below
    /// `leafLevels`.
    function nodesLevelOf(uint256 level) external pure returns (uint256);
}
