// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClaimLeaf, EpochHeader, PoolRow, Stream, SumNode, Terms } from "../libraries/ProtocolTypes.sol";

/// @title IRewardPools
/// @notice Streamers fund pools here, nodes claim from them what final headers say that they earned.
/// @dev No pool ever pays out more than it was funded, whatever a root says: a wrong header harms the pools that it
/// names and no other. There is no owner. Tokens whose balances change by themselves are not supported; a token
/// that takes a fee is credited with what arrives.
interface IRewardPools {
    /*//////////////////////////////////////////////////////////////////////////
                                       TYPES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice What is known of a pool.
    /// @param streamer Who owns it; zero if there is no such pool.
    /// @param token What it pays in.
    /// @param remaining What it holds now.
    /// @param createdEpoch The first epoch in which it is open.
    /// @param closedFromEpoch The first epoch in which it is no longer open; 0 while no closing is announced.
    /// @param refunded Whether the streamer took the rest back.
    struct Pool {
        address streamer;
        address token;
        uint96 remaining;
        uint64 createdEpoch;
        uint64 closedFromEpoch;
        bool refunded;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       EVENTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice A pool was created, open from `epoch` on.
    event PoolCreated(
        uint32 indexed poolId,
        address indexed streamer,
        address indexed token,
        uint64 epoch,
        Terms terms,
        Stream stream
    );

    /// @notice `amount` arrived in a pool.
    event Deposited(uint32 indexed poolId, address indexed from, uint64 indexed epoch, uint256 amount);

    /// @notice Other terms hold from `fromEpoch` on, instead of any announced before for then or later.
    event TermsChanged(uint32 indexed poolId, uint64 indexed fromEpoch, Terms terms);

    /// @notice A pool's stream record changed, at once.
    event StreamChanged(uint32 indexed poolId, Stream stream);

    /// @notice A pool is no longer open from `fromEpoch` on.
    event PoolClosed(uint32 indexed poolId, uint64 indexed fromEpoch);

    /// @notice What no node earned went back.
    event Refunded(uint32 indexed poolId, address indexed to, uint256 amount);

    /// @notice The claims of an epoch can be paid from now on.
    event ClaimsOpened(uint64 indexed epoch, bytes32 claimsRoot, uint32 claimCount);

    /// @notice An account was paid: `paid` are the words `uint256(poolId) << 128 | amount`.
    event Claimed(address indexed account, address to, uint256[] paid);

    /*//////////////////////////////////////////////////////////////////////////
                                     STREAMERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Creates a pool that pays in `token`, open from the current epoch on.
    /// @dev Anyone; the caller is its streamer for ever. Ids count up from 1, so a transaction mined before may
    /// take the id that was expected: read it from the event.
    function create(address token, Terms calldata terms, Stream calldata stream)
        external
        returns (uint32 poolId);

    /// @notice Funds a pool with the caller's tokens; they count from the current epoch on.
    /// @dev Anyone, until its closing is announced. What the caller gives goes to nodes or back to the streamer,
    /// never back to the caller.
    /// @return credited What arrived.
    function deposit(uint32 poolId, uint256 amount) external returns (uint256 credited);

    /// @notice Like `deposit`, with an ERC-2612 permit of the caller.
    /// @dev Whoever sees the permit can use it up first, so its failure is ignored: the allowance decides.
    function depositWithPermit(uint32 poolId, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 credited);

    /// @notice Changes the terms from a coming epoch on.
    /// @dev Only the streamer; never for an epoch that has begun, so nodes know what they work for. A transaction
    /// mined after its `fromEpoch` has begun fails. Replaces what was announced for `fromEpoch` or later.
    function setTerms(uint32 poolId, Terms calldata terms, uint64 fromEpoch) external;

    /// @notice Changes the stream record at once.
    /// @dev Only the streamer, until the closing is announced.
    function setStream(uint32 poolId, Stream calldata stream) external;

    /// @notice Closes a pool from the next epoch on, for ever.
    /// @dev Only the streamer. From the call on, deposits and changes are refused. What was earned stays claimable.
    function close(uint32 poolId) external;

    /// @notice Gives back what no node earned: `fundedAt(last) - cumulativeSpend`, but never more than the pool holds.
    /// @dev Only the streamer, once, after the header of the pool's last open epoch is final.
    /// @param header That header.
    /// @param row The pool's row in it.
    /// @param index The row's index in the epoch's tree of pools.
    /// @param path The row's path there.
    function refund(
        EpochHeader calldata header,
        PoolRow calldata row,
        uint32 index,
        SumNode[] calldata path,
        address to
    ) external;

    /*//////////////////////////////////////////////////////////////////////////
                                       NODES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Opens the claims of an epoch: keeps the claims root of its final header, so that no claim has to
    /// show the header again.
    /// @dev Anyone, once per epoch that is claimed from; again it does nothing. Whoever claims first sends it along
    /// (`multicall`). What is open stays open.
    function openClaims(EpochHeader calldata header) external;

    /// @notice Pays what an account earned to its payout address (`NodeRegistry.payoutOf`).
    /// @dev Anyone. For each entry that is not left out the pool pays what the entry exceeds what the account was
    /// paid before, but never more than the pool holds; the shortfall stays due, should the pool be funded again.
    /// Entries of unknown pools, and claims of which nothing is due, do nothing, so that a claim mined twice, or
    /// pushed by another just before, does not fail. A token that reverts fails the call: leave its entries out.
    /// @param epoch An epoch whose claims are open, of any age: a newer one never breaks a claim under way.
    /// @param leaf The account's leaf in its claims tree.
    /// @param index The leaf's index there.
    /// @param path The leaf's path there.
    /// @param skip Bit i leaves entry i out, 0 none; bits beyond the entries mean nothing.
    function claim(uint64 epoch, ClaimLeaf calldata leaf, uint32 index, bytes32[] calldata path, uint256 skip)
        external;

    /// @notice Pays the caller all that it earned, to itself: the cheapest claim.
    /// @dev Otherwise like `claimTo`.
    function claimAll(uint64 epoch, uint256[] calldata entries, uint32 index, bytes32[] calldata path)
        external;

    /// @notice Like `claim` for each of several neighbouring accounts, each to its own payout address.
    /// @dev Anyone. One payment that reverts fails the call: leave that account out by its bit, and claim what its
    /// other tokens owe by `claim`. An account that can make a transfer fail (a token with hooks, a list of blocked
    /// addresses) may do so after the caller tried the call; that costs the caller gas and nobody else anything.
    /// @param epoch As of `claim`.
    /// @param leaves Neighbouring leaves, at most 256. Those that are left out are part of the proof all the same.
    /// @param first The index of the first.
    /// @param path Their range path (docs/protocol.md section 6).
    /// @param skip Bit i leaves leaf i out, 0 none; bits beyond the leaves mean nothing.
    function claimMany(
        uint64 epoch,
        ClaimLeaf[] calldata leaves,
        uint32 first,
        bytes32[] calldata path,
        uint256 skip
    ) external;

    /// @notice Like `claim`, but the account is the caller, which chooses where it is paid.
    /// @dev Another's entries lead to no root. Somebody's `claim` that is mined first pays to the payout address
    /// instead.
    /// @param entries The caller's.
    function claimTo(
        uint64 epoch,
        uint256[] calldata entries,
        uint32 index,
        bytes32[] calldata path,
        uint256 skip,
        address to
    ) external;

    /// @notice Like `claim`, but pays to `to`, as the account signed (`ClaimRedirect`, EIP-712 or ERC-1271).
    /// @dev Anyone, until the deadline, for that epoch alone. The submitter chooses what is left out; used again,
    /// the signature pays only what is due for that epoch and was not paid before.
    function claimToBySignature(
        uint64 epoch,
        ClaimLeaf calldata leaf,
        uint32 index,
        bytes32[] calldata path,
        uint256 skip,
        address to,
        uint64 deadline,
        bytes calldata signature
    ) external;

    /*//////////////////////////////////////////////////////////////////////////
                                       VIEWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice The book whose final headers are paid.
    function epochBook() external view returns (address);

    /// @notice Where payout addresses are kept.
    function nodeRegistry() external view returns (address);

    /// @notice How many pools there are; their ids are 1 to this number.
    function poolCount() external view returns (uint32);

    /// @notice What is known of a pool: zeros if there is none.
    function poolOf(uint32 poolId) external view returns (Pool memory);

    /// @notice The terms that hold in an epoch: zeros before the pool's first epoch and where there is no pool.
    /// @dev Settled for the current epoch and all before it; for a coming one the streamer may still change them.
    function termsAt(uint32 poolId, uint64 epoch) external view returns (Terms memory);

    /// @notice The ticket signer of those terms.
    function ticketSignerAt(uint32 poolId, uint64 epoch) external view returns (address);

    /// @notice All that was deposited up to the end of an epoch.
    /// @dev Settled once the epoch has ended.
    function fundedAt(uint32 poolId, uint64 epoch) external view returns (uint128);

    /// @notice Whether a pool is open in an epoch.
    /// @dev Settled for the current epoch and all before it; for a coming one the streamer may still close it.
    function isOpenAt(uint32 poolId, uint64 epoch) external view returns (bool);

    /// @notice A pool's stream record.
    function streamOf(uint32 poolId) external view returns (Stream memory);

    /// @notice The first 28 bytes of an epoch's claims root and the count of its leaves: zeros while its claims are
    /// not open.
    function claimsOf(uint64 epoch) external view returns (bytes28 root, uint32 count);

    /// @notice What an account was paid by a pool so far.
    function claimed(address account, uint32 poolId) external view returns (uint128);
}
