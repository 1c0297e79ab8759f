// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { Checkpoints } from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import { IEpochBook } from "./interfaces/IEpochBook.sol";
import { INodeRegistry } from "./interfaces/INodeRegistry.sol";
import { IRewardPools } from "./interfaces/IRewardPools.sol";
import { Errors } from "./libraries/Errors.sol";
import { HeaderLib } from "./libraries/HeaderLib.sol";
import { PlainTree } from "./libraries/PlainTree.sol";
import {
    ClaimLeaf,
    ClaimRedirect,
    EpochHeader,
    PoolRow,
    Stream,
    SumNode,
    Terms
} from "./libraries/ProtocolTypes.sol";
import { SumTree } from "./libraries/SumTree.sol";
import { TypedData } from "./libraries/TypedData.sol";
import { WordList } from "./libraries/WordList.sol";

/// @title RewardPools
/// @notice See `IRewardPools`. No owner, no proxy. `multicall` makes several calls in one transaction.
contract RewardPools is IRewardPools, Multicall, ReentrancyGuardTransient {
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using WordList for uint256[];

    /*//////////////////////////////////////////////////////////////////////////
                                       TYPES
    //////////////////////////////////////////////////////////////////////////*/

    struct PoolState {
        /// `remaining << 160 | token`: one word, written as one, since a claim touches no other.
        uint256 funds;
        address streamer;
        uint32 createdEpoch;
        /// 0 while no closing is announced: no pool closes from epoch 0.
        uint32 closedFromEpoch;
        bool refunded;
    }

    /// @dev What two pools paid an account so far, as `uint128` each; that of the odd id in the upper half.
    struct PaidByPair {
        uint256 cumulatives;
    }

    /// @dev Terms that hold from an epoch on: two words.
    struct TermsPoint {
        uint128 pricePerGB;
        uint128 epochBudget;
        address ticketSigner;
        uint64 fromEpoch;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     CONSTANTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The most entries of a leaf: a mask has a bit for each.
    uint256 private constant MAX_ENTRIES = 256;

    /// @dev The bits of an epoch's word that hold the count of its claims tree.
    uint256 private constant CLAIM_COUNT = type(uint32).max;

    /// @dev The most leaves of one call: a mask has a bit for each.
    uint256 private constant MAX_LEAVES = 256;

    /*//////////////////////////////////////////////////////////////////////////
                                     IMMUTABLES
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRewardPools
    address public immutable override epochBook;

    /// @inheritdoc IRewardPools
    address public immutable override nodeRegistry;

    /*//////////////////////////////////////////////////////////////////////////
                                      STORAGE
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRewardPools
    uint32 public override poolCount;

    mapping(uint256 poolId => PoolState) private _pools;

    /// @dev What an open epoch's header says of its claims tree: the first 28 bytes of the root (as `EpochBook` keeps
    /// of a header hash), then the count. 0 while the epoch's claims are not open.
    mapping(uint256 epoch => uint256 word) private _claims;

    /// @dev Two pools to a word: the pair of a pool is `poolId >> 1`.
    /// `_book` writes through a reference to the pair.
    // slither-disable-next-line uninitialized-state
    mapping(address account => mapping(uint256 poolPair => PaidByPair)) private _claimed;

    /// @dev All that was deposited, by epoch.
    mapping(uint256 poolId => Checkpoints.Trace208) private _funded;

    /// @dev In strictly rising order of `fromEpoch`.
    mapping(uint256 poolId => TermsPoint[]) private _terms;

    mapping(uint256 poolId => Stream) private _streams;

    /*//////////////////////////////////////////////////////////////////////////
                                    CONSTRUCTOR
    //////////////////////////////////////////////////////////////////////////*/

    /// @param epochBook_ The book whose final headers are paid.
    /// @param nodeRegistry_ Where payout addresses are kept.
    constructor(address epochBook_, address nodeRegistry_) {
        if (epochBook_ == address(0) || nodeRegistry_ == address(0)) revert Errors.RewardPools_ZeroAddress();
        epochBook = epochBook_;
        nodeRegistry = nodeRegistry_;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     STREAMERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRewardPools
    function create(address token, Terms calldata terms, Stream calldata stream)
        external
        override
        nonReentrant
        returns (uint32 poolId)
    {
        if (token.code.length == 0) revert Errors.RewardPools_NotAToken(token);
        uint64 epoch = _currentEpoch();

        poolId = ++poolCount;
        PoolState storage pool = _pools[poolId];
        pool.funds = uint160(token);
        pool.streamer = msg.sender;
        pool.createdEpoch = uint256(epoch).toUint32();
        _pushTerms(poolId, terms, epoch);
        _setStream(poolId, stream);
        emit PoolCreated(poolId, msg.sender, token, epoch, terms, stream);
    }

    /// @inheritdoc IRewardPools
    function deposit(uint32 poolId, uint256 amount)
        external
        override
        nonReentrant
        returns (uint256 credited)
    {
        return _deposit(poolId, amount);
    }

    /// @inheritdoc IRewardPools
    // slither-disable-next-line reentrancy-no-eth
    function depositWithPermit(uint32 poolId, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        override
        nonReentrant
        returns (uint256 credited)
    {
        address token = _tokenOf(_pools[poolId]);
        if (token == address(0)) revert Errors.RewardPools_UnknownPool(poolId);
        // If another used the permit up, the allowance is there; if not, the deposit fails.
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) { } catch { }
        return _deposit(poolId, amount);
    }

    /// @inheritdoc IRewardPools
    function setTerms(uint32 poolId, Terms calldata terms, uint64 fromEpoch) external override nonReentrant {
        _requireStreamerOfOpen(poolId);
        uint64 epoch = _currentEpoch();
        if (fromEpoch <= epoch) revert Errors.RewardPools_EpochBegun(fromEpoch, epoch);

        // What was announced for then or later gives way, so the points stay in order.
        TermsPoint[] storage points = _terms[poolId];
        while (points[points.length - 1].fromEpoch >= fromEpoch) points.pop();
        _pushTerms(poolId, terms, fromEpoch);
        emit TermsChanged(poolId, fromEpoch, terms);
    }

    /// @inheritdoc IRewardPools
    function setStream(uint32 poolId, Stream calldata stream) external override nonReentrant {
        _requireStreamerOfOpen(poolId);
        _setStream(poolId, stream);
        emit StreamChanged(poolId, stream);
    }

    /// @inheritdoc IRewardPools
    function close(uint32 poolId) external override nonReentrant {
        _requireStreamerOfOpen(poolId);
        uint64 fromEpoch = _currentEpoch() + 1;
        _pools[poolId].closedFromEpoch = uint256(fromEpoch).toUint32();
        emit PoolClosed(poolId, fromEpoch);
    }

    /// @inheritdoc IRewardPools
    function refund(
        EpochHeader calldata header,
        PoolRow calldata row,
        uint32 index,
        SumNode[] calldata path,
        address to
    ) external override nonReentrant {
        uint32 poolId = row.poolId;
        PoolState storage pool = _pools[poolId];

        // Check
        _requireStreamer(poolId);
        if (pool.closedFromEpoch == 0) revert Errors.RewardPools_PoolNotClosed(poolId);
        if (pool.refunded) revert Errors.RewardPools_AlreadyRefunded(poolId);
        if (to == address(0)) revert Errors.RewardPools_ZeroAddress();
        uint64 last = pool.closedFromEpoch - 1;
        if (header.epoch != last) revert Errors.RewardPools_WrongEpoch(header.epoch, last);
        _requireFinal(header);
        SumTree.requireLeaf(
            SumNode({ hash: header.poolsRoot, sum: header.weight }),
            SumTree.leafOf(row),
            index,
            header.poolCount,
            path
        );

        // Effect. A lying row can neither underflow nor take what other pools hold.
        uint256 funded = _fundedAt(poolId, last);
        uint256 amount = funded > row.cumulativeSpend ? funded - row.cumulativeSpend : 0;
        uint256 remaining = _remainingOf(pool);
        if (amount > remaining) amount = remaining;
        pool.refunded = true;
        pool.funds -= amount << 160;
        emit Refunded(poolId, to, amount);

        // Interaction
        if (amount != 0) IERC20(_tokenOf(pool)).safeTransfer(to, amount);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       NODES
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRewardPools
    function openClaims(EpochHeader calldata header) external override {
        _requireFinal(header);
        uint256 word = uint256(header.claimsRoot) & ~CLAIM_COUNT | header.claimCount;
        if (_claims[header.epoch] == word) return;
        _claims[header.epoch] = word;
        emit ClaimsOpened(header.epoch, header.claimsRoot, header.claimCount);
    }

    /// @inheritdoc IRewardPools
    function claimAll(uint64 epoch, uint256[] calldata entries, uint32 index, bytes32[] calldata path)
        external
        override
        nonReentrant
    {
        _requireLeaf(epoch, msg.sender, entries, index, path);
        _pay(msg.sender, entries, 0, msg.sender);
    }

    /// @inheritdoc IRewardPools
    function claim(uint64 epoch, ClaimLeaf calldata leaf, uint32 index, bytes32[] calldata path, uint256 skip)
        external
        override
        nonReentrant
    {
        _requireLeaf(epoch, leaf.account, leaf.entries, index, path);
        _push(leaf, skip);
    }

    /// @inheritdoc IRewardPools
    function claimMany(
        uint64 epoch,
        ClaimLeaf[] calldata leaves,
        uint32 first,
        bytes32[] calldata path,
        uint256 skip
    ) external override nonReentrant {
        // Check
        uint256 count = leaves.length;
        if (count > MAX_LEAVES) revert Errors.RewardPools_TooManyLeaves(count);
        bytes32[] memory nodes = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            nodes[i] = PlainTree.claimLeafOf(leaves[i]);
        }
        uint256 word = _claims[epoch];
        if (word == 0) revert Errors.RewardPools_ClaimsNotOpen(epoch);
        bytes32 root = PlainTree.rootFromRange(nodes, first, word & CLAIM_COUNT, path);
        if ((word ^ uint256(root)) & ~CLAIM_COUNT != 0) revert Errors.Tree_ProofMismatch(_rootOf(word));

        // Effect and Interaction, account by account: the guard keeps others out meanwhile.
        for (uint256 i; i < count; ++i) {
            if ((skip >> i) & 1 == 0) _push(leaves[i], 0);
        }
    }

    /// @inheritdoc IRewardPools
    function claimTo(
        uint64 epoch,
        uint256[] calldata entries,
        uint32 index,
        bytes32[] calldata path,
        uint256 skip,
        address to
    ) external override nonReentrant {
        if (to == address(0)) revert Errors.RewardPools_ZeroAddress();
        _requireLeaf(epoch, msg.sender, entries, index, path);
        _pay(msg.sender, entries, skip, to);
    }

    /// @inheritdoc IRewardPools
    function claimToBySignature(
        uint64 epoch,
        ClaimLeaf calldata leaf,
        uint32 index,
        bytes32[] calldata path,
        uint256 skip,
        address to,
        uint64 deadline,
        bytes calldata signature
    ) external override nonReentrant {
        if (to == address(0)) revert Errors.RewardPools_ZeroAddress();
        address account = leaf.account;
        _requireRedirect(account, to, epoch, deadline, signature);
        _requireLeaf(epoch, account, leaf.entries, index, path);
        _pay(account, leaf.entries, skip, to);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       VIEWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRewardPools
    function poolOf(uint32 poolId) external view override returns (Pool memory) {
        PoolState storage pool = _pools[poolId];
        return Pool({
            streamer: pool.streamer,
            token: _tokenOf(pool),
            remaining: _remainingOf(pool),
            createdEpoch: pool.createdEpoch,
            closedFromEpoch: pool.closedFromEpoch,
            refunded: pool.refunded
        });
    }

    /// @inheritdoc IRewardPools
    function termsAt(uint32 poolId, uint64 epoch) external view override returns (Terms memory) {
        uint256 count = _termsUpTo(poolId, epoch);
        if (count == 0) return Terms(0, 0, address(0));
        TermsPoint memory point = _terms[poolId][count - 1];
        return Terms({
            pricePerGB: point.pricePerGB, epochBudget: point.epochBudget, ticketSigner: point.ticketSigner
        });
    }

    /// @inheritdoc IRewardPools
    function ticketSignerAt(uint32 poolId, uint64 epoch) external view override returns (address) {
        uint256 count = _termsUpTo(poolId, epoch);
        return count == 0 ? address(0) : _terms[poolId][count - 1].ticketSigner;
    }

    /// @inheritdoc IRewardPools
    function fundedAt(uint32 poolId, uint64 epoch) external view override returns (uint128) {
        return _fundedAt(poolId, epoch);
    }

    /// @inheritdoc IRewardPools
    function isOpenAt(uint32 poolId, uint64 epoch) external view override returns (bool) {
        PoolState memory pool = _pools[poolId];
        // slither-disable-next-line incorrect-equality
        return pool.streamer != address(0) && epoch >= pool.createdEpoch
            && (pool.closedFromEpoch == 0 || epoch < pool.closedFromEpoch);
    }

    /// @inheritdoc IRewardPools
    function streamOf(uint32 poolId) external view override returns (Stream memory) {
        return _streams[poolId];
    }

    /// @inheritdoc IRewardPools
    function claimsOf(uint64 epoch) external view override returns (bytes28 root, uint32 count) {
        uint256 word = _claims[epoch];
        // casting keeps the two parts of the word
        // forge-lint: disable-next-line(unsafe-typecast)
        return (bytes28(_rootOf(word)), uint32(word));
    }

    /// @inheritdoc IRewardPools
    function claimed(address account, uint32 poolId) external view override returns (uint128) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(_claimed[account][poolId >> 1].cumulatives >> ((poolId & 1) << 7));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                  INTERNAL: STREAMERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Takes the caller's tokens and credits what arrives.
    function _deposit(uint32 poolId, uint256 amount) private returns (uint256 credited) {
        PoolState storage pool = _pools[poolId];
        IERC20 token = IERC20(_tokenOf(pool));
        if (address(token) == address(0)) revert Errors.RewardPools_UnknownPool(poolId);
        if (pool.closedFromEpoch != 0) revert Errors.RewardPools_PoolClosed(poolId);
        uint64 epoch = _currentEpoch();

        // Interaction before effect, as only the balances tell what arrived; the guard keeps others out meanwhile.
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        credited = token.balanceOf(address(this)) - before;

        // slither-disable-next-line incorrect-equality
        if (credited == 0) revert Errors.RewardPools_NothingDeposited(poolId);
        if (credited + _remainingOf(pool) > type(uint96).max) {
            revert Errors.RewardPools_PoolOverflow(poolId, credited);
        }
        pool.funds += credited << 160;
        Checkpoints.Trace208 storage funded = _funded[poolId];
        // The sum must fit the 128 bits that a row has for it.
        // slither-disable-next-line unused-return
        funded.push(uint256(epoch).toUint48(), SafeCast.toUint128(funded.latest() + credited));
        emit Deposited(poolId, msg.sender, epoch, credited);
    }

    function _pushTerms(uint32 poolId, Terms calldata terms, uint64 fromEpoch) private {
        // A recovery that fails gives zero in many libraries: zero must never be a valid signer.
        if (terms.ticketSigner == address(0)) revert Errors.RewardPools_ZeroAddress();
        _terms[poolId].push(
            TermsPoint({
                pricePerGB: terms.pricePerGB,
                epochBudget: terms.epochBudget,
                ticketSigner: terms.ticketSigner,
                fromEpoch: fromEpoch
            })
        );
    }

    function _setStream(uint32 poolId, Stream calldata stream) private {
        if (stream.originKey == address(0)) revert Errors.RewardPools_ZeroAddress();
        _streams[poolId] = stream;
    }

    function _requireStreamer(uint32 poolId) private view {
        address streamer = _pools[poolId].streamer;
        if (streamer == address(0)) revert Errors.RewardPools_UnknownPool(poolId);
        if (msg.sender != streamer) revert Errors.RewardPools_NotStreamer(msg.sender, poolId);
    }

    function _requireStreamerOfOpen(uint32 poolId) private view {
        _requireStreamer(poolId);
        if (_pools[poolId].closedFromEpoch != 0) revert Errors.RewardPools_PoolClosed(poolId);
    }

    /// @dev How many points the pool has up to an epoch, of which the last holds.
    function _termsUpTo(uint32 poolId, uint64 epoch) private view returns (uint256 low) {
        TermsPoint[] storage points = _terms[poolId];
        uint256 high = points.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (points[middle].fromEpoch > epoch) high = middle;
            else low = middle + 1;
        }
    }

    function _fundedAt(uint32 poolId, uint64 epoch) private view returns (uint128) {
        // casting to 'uint48' is safe because an epoch beyond it is cut to it
        // forge-lint: disable-next-line(unsafe-typecast)
        uint48 key = epoch > type(uint48).max ? type(uint48).max : uint48(epoch);
        // Each sum was checked when it was written.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(_funded[poolId].upperLookupRecent(key));
    }

    function _tokenOf(PoolState storage pool) private view returns (address) {
        // casting to 'uint160' keeps the token
        // forge-lint: disable-next-line(unsafe-typecast)
        return address(uint160(pool.funds));
    }

    function _remainingOf(PoolState storage pool) private view returns (uint96) {
        // casting to 'uint96' is safe because 96 bits are left
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint96(pool.funds >> 160);
    }

    function _currentEpoch() private view returns (uint64) {
        return IEpochBook(epochBook).currentEpoch();
    }

    /*//////////////////////////////////////////////////////////////////////////
                                    INTERNAL: NODES
    //////////////////////////////////////////////////////////////////////////*/

    function _requireFinal(EpochHeader calldata header) private view {
        bytes32 headerHash = HeaderLib.hash(header);
        if (!IEpochBook(epochBook).isFinal(header.epoch, headerHash)) {
            revert Errors.RewardPools_HeaderNotFinal(header.epoch, headerHash);
        }
    }

    function _requireLeaf(
        uint64 epoch,
        address account,
        uint256[] calldata entries,
        uint256 index,
        bytes32[] calldata path
    ) private view {
        uint256 word = _claims[epoch];
        if (word == 0) revert Errors.RewardPools_ClaimsNotOpen(epoch);
        bytes32 leaf = PlainTree.claimLeafOf(account, entries);
        bytes32 root = PlainTree.rootFromPath(leaf, index, word & CLAIM_COUNT, path);
        if ((word ^ uint256(root)) & ~CLAIM_COUNT != 0) revert Errors.Tree_ProofMismatch(_rootOf(word));
    }

    /// @dev What is kept of the claims root: 28 bytes, then zeros.
    function _rootOf(uint256 word) private pure returns (bytes32) {
        return bytes32(word & ~CLAIM_COUNT);
    }

    function _requireRedirect(
        address account,
        address to,
        uint64 epoch,
        uint64 deadline,
        bytes calldata signature
    ) private view {
        if (block.timestamp > deadline) revert Errors.RewardPools_DeadlineOver(deadline);
        bytes32 digest = TypedData.digest(
            epochBook,
            TypedData.hash(ClaimRedirect({ account: account, to: to, epoch: epoch, deadline: deadline }))
        );
        if (!SignatureChecker.isValidSignatureNowCalldata(account, digest, signature)) {
            revert Errors.RewardPools_InvalidSignature(account);
        }
    }

    /// @dev Pays to the account's payout address.
    function _push(ClaimLeaf calldata leaf, uint256 skip) private {
        address account = leaf.account;
        // `claimMany` leaves out whom it cannot pay, as its caller says.
        // slither-disable-next-line calls-loop
        _pay(account, leaf.entries, skip, INodeRegistry(nodeRegistry).payoutOf(account));
    }

    /// @dev Pays what is due of the entries that are not left out, with one transfer per distinct token.
    function _pay(address account, uint256[] calldata entries, uint256 skip, address to) private {
        uint256 count = entries.length;
        if (count > MAX_ENTRIES) revert Errors.RewardPools_TooManyEntries(count);

        // Effect. `sums` are the distinct tokens, each with its amount after it.
        (uint256[] memory paid, uint256[] memory sums) = WordList.forClaim(count);
        mapping(uint256 poolPair => PaidByPair) storage pairs = _claimed[account];
        uint256 previous;
        for (uint256 i; i < count; ++i) {
            uint256 entry = WordList.read(entries, i);
            uint256 poolId = entry >> 128;
            if (poolId <= previous) revert Errors.RewardPools_EntriesNotRising(i);
            previous = poolId;
            if ((skip >> i) & 1 != 0) continue;
            // casting to 'uint128' keeps the cumulative reward
            // forge-lint: disable-next-line(unsafe-typecast)
            _book(pairs[poolId >> 1], poolId, uint128(entry), paid, sums);
        }
        if (paid.length == 0) return;
        _emitClaimed(account, to, paid);

        // Interaction
        for (uint256 i; i < sums.length; i = WordList.afterPair(i)) {
            (uint256 token, uint256 amount) = sums.pairAt(i);
            // casting to 'uint160' is safe because the keys of this list are addresses
            // forge-lint: disable-next-line(unsafe-typecast)
            IERC20(address(uint160(token))).safeTransfer(to, amount);
        }
    }

    /// @dev `emit Claimed(account, to, paid)`, without copying the words; `paid` has the room before it.
    function _emitClaimed(address account, address to, uint256[] memory paid) private {
        bytes32 signature = Claimed.selector;
        assembly ("memory-safe") {
            let data := sub(paid, 0x40)
            mstore(data, to)
            mstore(add(data, 0x20), 0x40)
            log2(data, add(0x60, shl(5, mload(paid))), signature, account)
        }
    }

    /// @dev Books what a pool owes an account, as far as the pool holds it: nothing if there is no such pool. Adds it to
    /// the words of the `Claimed` event and to its token's sum.
    function _book(
        PaidByPair storage pair,
        uint256 poolId,
        uint256 cumulative,
        uint256[] memory paid,
        uint256[] memory sums
    ) private {
        uint256 shift = (poolId & 1) << 7;
        uint256 cumulatives = pair.cumulatives;
        // casting to 'uint128' keeps this pool's half
        // forge-lint: disable-next-line(unsafe-typecast)
        uint256 before = uint128(cumulatives >> shift);
        if (cumulative <= before) return;

        PoolState storage pool = _pools[poolId];
        uint256 funds = pool.funds;
        unchecked {
            // The amount is at most what remains, and with what was paid before at most the cumulative, so that
            // neither number leaves its field.
            uint256 amount = cumulative - before;
            uint256 remaining = funds >> 160;
            if (amount > remaining) amount = remaining;
            if (amount == 0) return;
            pool.funds = funds - (amount << 160);
            pair.cumulatives = cumulatives + (amount << shift);
            paid.push((poolId << 128) | amount);
            // casting to 'uint160' keeps the token
            // forge-lint: disable-next-line(unsafe-typecast)
            sums.addTo(uint160(funds), amount);
        }
    }
}
