// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Errors
/// @notice Every custom error of the protocol, as `Contract_Reason`.
library Errors {
    /*//////////////////////////////////////////////////////////////////////////
                                    EPOCH BOOK
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice The former poster cannot take its own place over.
    error EpochBook_AlreadyPoster(address caller);

    /// @notice The constructor was given a parameter that would make the rules void.
    error EpochBook_BadParameter(bytes32 name);

    /// @notice A bond stands behind headers that are not final yet.
    error EpochBook_BondInUse(uint64 firstPendingEpoch, uint64 nextEpoch);

    /// @notice Burning the slashed half failed.
    error EpochBook_BurnFailed(uint256 amount);

    /// @notice The caller may not void headers.
    error EpochBook_CannotVoid(address caller);

    /// @notice The challenge window of the header is still open.
    error EpochBook_ChallengeWindowOpen(uint64 epoch, uint256 until);

    /// @notice The epoch's intake is still open.
    error EpochBook_EpochNotOver(uint64 epoch, uint256 until);

    /// @notice The guardian can never post.
    error EpochBook_GuardianCannotPost(address guardian);

    /// @notice The bond sent is below the minimum.
    error EpochBook_InsufficientBond(uint256 bond, uint256 required);

    /// @notice There is nothing to withdraw.
    error EpochBook_NothingToWithdraw(address account);

    /// @notice The epoch has no header that is pending.
    error EpochBook_NotPending(uint64 epoch);

    /// @notice The caller is not the guardian.
    error EpochBook_NotGuardian(address caller);

    /// @notice The caller is not the poster.
    error EpochBook_NotPoster(address caller);

    /// @notice The header does not name the header before as its parent.
    error EpochBook_ParentMismatch(uint64 epoch, bytes32 parent);

    /// @notice The poster has not been idle for long enough.
    error EpochBook_PosterActive(uint256 until);

    /// @notice The receiver refused the ether.
    error EpochBook_WithdrawalFailed(address to, uint256 amount);

    /// @notice Headers are committed and finalised one by one, in order.
    error EpochBook_WrongEpoch(uint64 epoch, uint64 expected);

    /*//////////////////////////////////////////////////////////////////////////
                                   REWARD POOLS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice The pool was already refunded.
    error RewardPools_AlreadyRefunded(uint32 poolId);

    /// @notice Nobody has opened the epoch's claims yet.
    error RewardPools_ClaimsNotOpen(uint64 epoch);

    /// @notice The signature's deadline is over.
    error RewardPools_DeadlineOver(uint64 deadline);

    /// @notice The entries' pools do not strictly rise.
    error RewardPools_EntriesNotRising(uint256 position);

    /// @notice Terms change only from an epoch that has not begun.
    error RewardPools_EpochBegun(uint64 fromEpoch, uint64 currentEpoch);

    /// @notice The header is not final.
    error RewardPools_HeaderNotFinal(uint64 epoch, bytes32 headerHash);

    /// @notice The account did not sign this.
    error RewardPools_InvalidSignature(address account);

    /// @notice The token is not a contract.
    error RewardPools_NotAToken(address token);

    /// @notice Nothing arrived.
    error RewardPools_NothingDeposited(uint32 poolId);

    /// @notice The caller is not the pool's streamer.
    error RewardPools_NotStreamer(address caller, uint32 poolId);

    /// @notice The pool is closed, or its closing is announced.
    error RewardPools_PoolClosed(uint32 poolId);

    /// @notice The pool is not closed.
    error RewardPools_PoolNotClosed(uint32 poolId);

    /// @notice A pool would hold more than `type(uint96).max`.
    error RewardPools_PoolOverflow(uint32 poolId, uint256 amount);

    /// @notice A leaf has more than 256 entries.
    error RewardPools_TooManyEntries(uint256 count);

    /// @notice More than 256 leaves in one call.
    error RewardPools_TooManyLeaves(uint256 count);

    /// @notice No such pool.
    error RewardPools_UnknownPool(uint32 poolId);

    /// @notice The header is not the one of the pool's last open epoch.
    error RewardPools_WrongEpoch(uint64 epoch, uint64 expected);

    /// @notice The zero address cannot stand here.
    error RewardPools_ZeroAddress();

    /*//////////////////////////////////////////////////////////////////////////
                                  NODE REGISTRY
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice The registration's deadline is over.
    error NodeRegistry_DeadlineOver(uint64 deadline);

    /// @notice The node did not sign this.
    error NodeRegistry_InvalidSignature(address node);

    /// @notice The caller is neither the node nor its current payout address.
    error NodeRegistry_NotAllowed(address caller, address node);

    /// @notice The node has no change of payout under way.
    error NodeRegistry_NoChangeUnderWay(address node);

    /// @notice Registrations of one node are numbered one by one from 0.
    error NodeRegistry_WrongNonce(address node, uint64 nonce, uint64 expected);

    /// @notice The zero address cannot be paid.
    error NodeRegistry_ZeroPayout(address node);

    /*//////////////////////////////////////////////////////////////////////////
                                    CHALLENGES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice The acknowledgement is not one of this record by the header's poster for the header's epoch.
    error Challenges_BadAcknowledgement();

    /// @notice The header is not pending: never committed, voided, or final.
    error Challenges_HeaderNotPending(uint64 epoch, bytes32 headerHash);

    /// @notice What was shown breaks no rule.
    error Challenges_NothingWrong();

    /// @notice The row shown is of another pool or node than the proof is about, or the leaves are no neighbours.
    error Challenges_WrongLeaf();

    /// @notice That is not the header before.
    error Challenges_WrongParent(bytes32 parentHash);

    /// @notice The proof needs another number of rows.
    error Challenges_WrongRowCount(uint256 count, uint256 expected);

    /*//////////////////////////////////////////////////////////////////////////
                                   DATA DEMANDS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice The chunk was demanded before, and is open or answered.
    error DataDemands_AlreadyDemanded(bytes32 demandId);

    /// @notice The answer is late.
    error DataDemands_AnswerLate(uint256 answerBy);

    /// @notice The constructor was given a parameter that would make the rules void.
    error DataDemands_BadParameter(bytes32 name);

    /// @notice The header is not pending: never committed, voided, or final.
    error DataDemands_HeaderNotPending(uint64 epoch, bytes32 headerHash);

    /// @notice The header still stands, so the demand does.
    error DataDemands_HeaderStands(uint64 epoch);

    /// @notice No demand of that chunk is open.
    error DataDemands_NotOpen(bytes32 demandId);

    /// @notice There is nothing to withdraw.
    error DataDemands_NothingToWithdraw(address account);

    /// @notice The time to answer is not over.
    error DataDemands_TimeLeft(uint256 answerBy);

    /// @notice Too little of the challenge window is left for an answer and what follows from it.
    error DataDemands_TooLate(uint256 latest);

    /// @notice The receiver refused the ether.
    error DataDemands_WithdrawalFailed(address to, uint256 amount);

    /// @notice The bond sent is not the one asked for.
    error DataDemands_WrongBond(uint256 sent, uint256 required);

    /// @notice The rows are not those over such a tree, or the answer is not of the chunk's kind, or has not as many
    /// leaves or nodes as the chunk.
    error DataDemands_WrongChunk();

    /*//////////////////////////////////////////////////////////////////////////
                                    LIBRARIES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice The leaves shown neither have the key nor show its absence.
    error Absence_NothingShown(uint256 key);

    /// @notice A range has no leaf.
    error Tree_EmptyRange();

    /// @notice The tree has no node there.
    error Tree_NoSuchNode(uint256 level, uint256 index);

    /// @notice The index is not below the count that is committed beside the root.
    error Tree_IndexBeyondCount(uint256 index, uint256 count);

    /// @notice A node over padding alone is not empty.
    error Tree_PaddingNotEmpty(uint256 level, uint256 index);

    /// @notice The path does not lead from the leaf to the root.
    error Tree_ProofMismatch(bytes32 root);

    /// @notice The path is not as long as the tree is deep.
    error Tree_WrongPathLength(uint256 length, uint256 depth);

    /// @notice A sum exceeds `type(uint128).max`.
    error SumTree_Overflow();

    /// @notice The path leads to the root's hash with another sum.
    error SumTree_SumMismatch(uint128 sum, uint128 expected);

    /// @notice A row is 88 bytes.
    error Rows_WrongLength(uint256 length);

    /// @notice At most a pool's row and a node's row stand above a tree.
    error Rows_TooMany(uint256 count);

    /// @notice A session record is 274 bytes, with signatures of 65 bytes.
    error SessionRecord_WrongLength(uint256 length);

    /// @notice More bytes are said to be on time than were delivered.
    error SettlementRule_OnTimeExceedsDelivered(uint64 bytesOnTime, uint64 bytesDelivered);
}
