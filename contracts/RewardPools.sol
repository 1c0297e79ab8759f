// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
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
/// @notice See `IRewardPools`. No owner, no proxy.
contract RewardPools is IRewardPools, ReentrancyGuardTransient {
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using WordList for uint256[];

    /*//////////////////////////////////////////////////////////////////////////
                                       TYPES
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev A claim touches the first word alone.
    struct PoolState {
        address token;
        uint96 remaining;
        address streamer;
        uint32 createdEpoch;
        /// 0 while no closing is announced: no pool closes from epoch 0.
        uint32 closedFromEpoch;
        bool refunded;
    }

    /// @dev Terms that hold from an epoch on: two words.
    struct TermsPoint {
        uint128 pricePerGB;
        uint128 epochBudget;
        address ticketSigner;
        uint64 fromEpoch;
    }

    /// @dev What one claim pays.
    struct Payout {
        /// The words of the `Claimed` event.
        uint256[] paid;
        /// The distinct tokens to transfer.
        uint256[] tokens;
        /// How much of each.
        uint256[] amounts;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     CONSTANTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The most entries of a leaf: a mask has a bit for each.
    uint256 private constant MAX_ENTRIES = 256;

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

    /// @dev Two pools to a word: `poolId >> 1`, the odd id in the upper half.
    mapping(address account => mapping(uint256 poolPair => uint256 cumulatives)) private _claimed;

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
        pool.token = token;
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
        address token = _pools[poolId].token;
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
        uint256 remaining = pool.remaining;
        if (amount > remaining) amount = remaining;
        pool.refunded = true;
        pool.remaining = (remaining - amount).toUint96();
        emit Refunded(poolId, to, amount);

        // Interaction
        if (amount != 0) IERC20(pool.token).safeTransfer(to, amount);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       NODES
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRewardPools
    function claim(
        EpochHeader calldata header,
        ClaimLeaf calldata leaf,
        uint32 index,
        bytes32[] calldata path,
        uint256 mask
    ) external override nonReentrant {
        _requireLeaf(header, leaf, index, path);
        _pay(header.epoch, leaf, mask, INodeRegistry(nodeRegistry).payoutOf(leaf.account));
    }

    /// @inheritdoc IRewardPools
    function claimTo(
        EpochHeader calldata header,
        ClaimLeaf calldata leaf,
        uint32 index,
        bytes32[] calldata path,
        uint256 mask,
        address to
    ) external override nonReentrant {
        if (msg.sender != leaf.account) {
            revert Errors.RewardPools_NotAccount(msg.sender, leaf.account);
        }
        _requireLeaf(header, leaf, index, path);
        _pay(header.epoch, leaf, mask, to);
    }

    /// @inheritdoc IRewardPools
    function claimToBySignature(
        EpochHeader calldata header,
        ClaimLeaf calldata leaf,
        uint32 index,
        bytes32[] calldata path,
        uint256 mask,
        address to,
        uint64 deadline,
        bytes calldata signature
    ) external override nonReentrant {
        _requireRedirect(leaf.account, to, header.epoch, deadline, signature);
        _requireLeaf(header, leaf, index, path);
        _pay(header.epoch, leaf, mask, to);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       VIEWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRewardPools
    function poolOf(uint32 poolId) external view override returns (Pool memory) {
        PoolState memory pool = _pools[poolId];
        return Pool({
            streamer: pool.streamer,
            token: pool.token,
            remaining: pool.remaining,
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
    function claimed(address account, uint32 poolId) external view override returns (uint128) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(_claimed[account][poolId >> 1] >> ((poolId & 1) << 7));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                  INTERNAL: STREAMERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Takes the caller's tokens and credits what arrives.
    function _deposit(uint32 poolId, uint256 amount) private returns (uint256 credited) {
        PoolState storage pool = _pools[poolId];
        IERC20 token = IERC20(pool.token);
        if (address(token) == address(0)) revert Errors.RewardPools_UnknownPool(poolId);
        if (pool.closedFromEpoch != 0) revert Errors.RewardPools_PoolClosed(poolId);
        uint64 epoch = _currentEpoch();

        // Interaction before effect, as only the balances tell what arrived; the guard keeps others out meanwhile.
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        credited = token.balanceOf(address(this)) - before;

        // slither-disable-next-line incorrect-equality
        if (credited == 0) revert Errors.RewardPools_NothingDeposited(poolId);
        uint256 remaining = credited + pool.remaining;
        if (remaining > type(uint96).max) revert Errors.RewardPools_PoolOverflow(poolId, credited);
        // casting to 'uint96' is safe because of the check above
        // forge-lint: disable-next-line(unsafe-typecast)
        pool.remaining = uint96(remaining);
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
        EpochHeader calldata header,
        ClaimLeaf calldata leaf,
        uint32 index,
        bytes32[] calldata path
    ) private view {
        _requireFinal(header);
        PlainTree.requireLeaf(header.claimsRoot, PlainTree.claimLeafOf(leaf), index, header.claimCount, path);
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

    /// @dev Pays what is due of the chosen entries, with one transfer per distinct token.
    function _pay(uint64 epoch, ClaimLeaf calldata leaf, uint256 mask, address to) private {
        if (to == address(0)) revert Errors.RewardPools_ZeroAddress();

        // Effect
        Payout memory payout = _settleAll(leaf.account, leaf.entries, mask);
        if (payout.paid.length == 0) return;
        _emitClaimed(leaf.account, to, epoch, payout.paid);

        // Interaction
        for (uint256 i; i < payout.tokens.length; ++i) {
            // casting to 'uint160' is safe because the words of this list are addresses
            // forge-lint: disable-next-line(unsafe-typecast)
            IERC20(address(uint160(payout.tokens[i]))).safeTransfer(to, payout.amounts[i]);
        }
    }

    /// @dev `emit Claimed(account, to, epoch, paid)`, without copying the words; `paid` has the room before it.
    function _emitClaimed(address account, address to, uint256 epoch, uint256[] memory paid) private {
        bytes32 signature = Claimed.selector;
        assembly ("memory-safe") {
            let data := sub(paid, 0x40)
            mstore(data, epoch)
            mstore(add(data, 0x20), 0x40)
            log3(data, add(0x60, shl(5, mload(paid))), signature, account, to)
        }
    }

    /// @dev Books what is due of the chosen entries.
    function _settleAll(address account, uint256[] calldata entries, uint256 mask)
        private
        returns (Payout memory payout)
    {
        uint256 count = entries.length;
        if (count > MAX_ENTRIES) revert Errors.RewardPools_TooManyEntries(count);
        payout.paid = WordList.withCapacityForLog(count);
        payout.tokens = WordList.withCapacity(count);
        payout.amounts = WordList.withCapacity(count);
        uint256 previous;
        for (uint256 i; i < count; ++i) {
            uint256 entry = entries[i];
            if (entry >> 128 <= previous) revert Errors.RewardPools_EntriesNotRising(i);
            previous = entry >> 128;
            if ((mask >> i) & 1 != 0) _settle(account, entry, payout);
        }
    }

    /// @dev Books what a pool owes an account, as far as the pool holds it.
    function _settle(address account, uint256 entry, Payout memory payout) private {
        uint256 poolId = entry >> 128;
        uint256 shift = (poolId & 1) << 7;
        uint256 cumulatives = _claimed[account][poolId >> 1];
        // casting to 'uint128' keeps this pool's half, and of the entry the cumulative reward
        // forge-lint: disable-next-line(unsafe-typecast)
        (uint256 before, uint256 cumulative) = (uint128(cumulatives >> shift), uint128(entry));
        if (cumulative <= before) return;

        PoolState storage pool = _pools[poolId];
        (address token, uint256 remaining) = (pool.token, pool.remaining);
        uint256 amount = cumulative - before;
        if (amount > remaining) amount = remaining;
        // Also where there is no such pool.
        if (amount == 0) return;

        unchecked {
            // The amount is at most `remaining`, and with what was claimed at most `cumulative`, so neither number
            // leaves its field.
            // forge-lint: disable-next-line(unsafe-typecast)
            pool.remaining = uint96(remaining - amount);
            _claimed[account][poolId >> 1] = cumulatives + (amount << shift);
        }
        payout.paid.push((poolId << 128) | amount);
        payout.tokens.addAmount(payout.amounts, uint160(token), amount);
    }
}
