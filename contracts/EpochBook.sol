// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IEpochBook } from "./interfaces/IEpochBook.sol";
import { Errors } from "./libraries/Errors.sol";
import { HeaderLib } from "./libraries/HeaderLib.sol";
import { EpochHeader } from "./libraries/ProtocolTypes.sol";
import { TypedData } from "./libraries/TypedData.sol";

/// @title EpochBook
/// @notice See `IEpochBook`. No owner, no proxy; ether leaves by `withdrawCredit` and by burning alone.
contract EpochBook is IEpochBook {
    using SafeCast for uint256;

    /*//////////////////////////////////////////////////////////////////////////
                                       TYPES
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev All that a commit reads and writes besides the epochs' words, in one word.
    struct Head {
        address poster;
        uint32 nextEpoch;
        /// Headers committed and not final: `finalisedEpochs = nextEpoch - pending`.
        uint24 pending;
        /// Seconds since genesis.
        uint32 lastActivity;
        /// Whether `bond >= bondWei`; kept here because a commit must not read another word.
        bool bonded;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     CONSTANTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The low 32 bits of a final header's word, so that word is `headerHash | FINAL`.
    uint256 private constant FINAL = type(uint32).max;

    /*//////////////////////////////////////////////////////////////////////////
                                     IMMUTABLES
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IEpochBook
    uint64 public immutable override genesis;

    /// @inheritdoc IEpochBook
    uint64 public immutable override epochSeconds;

    /// @inheritdoc IEpochBook
    uint64 public immutable override intakeGraceSeconds;

    /// @inheritdoc IEpochBook
    uint64 public immutable override challengeSeconds;

    /// @inheritdoc IEpochBook
    uint64 public immutable override posterTimeoutSeconds;

    /// @inheritdoc IEpochBook
    uint256 public immutable override bondWei;

    /// @inheritdoc IEpochBook
    address public immutable override guardian;

    /// @inheritdoc IEpochBook
    address public immutable override challenges;

    /// @inheritdoc IEpochBook
    address public immutable override dataDemands;

    /*//////////////////////////////////////////////////////////////////////////
                                      STORAGE
    //////////////////////////////////////////////////////////////////////////*/

    Head private _head;

    /// @inheritdoc IEpochBook
    uint256 public override bond;

    /// @inheritdoc IEpochBook
    mapping(address account => uint256 amount) public override creditOf;

    /// @dev The first 28 bytes of the header hash, then the time of its commit in seconds since genesis as 32 bits,
    /// or `FINAL`. Words at and beyond `nextEpoch` are leftovers of voided headers and mean nothing.
    mapping(uint256 epoch => uint256 word) private _words;

    /*//////////////////////////////////////////////////////////////////////////
                                    CONSTRUCTOR
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Reverts unless the parameters are as `IEpochBook.Parameters` says.
    constructor(Parameters memory parameters) {
        if (parameters.epochSeconds == 0) revert Errors.EpochBook_BadParameter("epochSeconds");
        if (
            parameters.posterTimeoutSeconds < parameters.challengeSeconds
                || parameters.posterTimeoutSeconds < parameters.epochSeconds + parameters.intakeGraceSeconds
        ) revert Errors.EpochBook_BadParameter("posterTimeoutSeconds");
        if (parameters.bondWei == 0) revert Errors.EpochBook_BadParameter("bondWei");
        if (parameters.poster == address(0)) revert Errors.EpochBook_BadParameter("poster");
        if (parameters.poster == parameters.guardian) {
            revert Errors.EpochBook_GuardianCannotPost(parameters.guardian);
        }

        genesis = parameters.genesis;
        epochSeconds = parameters.epochSeconds;
        intakeGraceSeconds = parameters.intakeGraceSeconds;
        challengeSeconds = parameters.challengeSeconds;
        posterTimeoutSeconds = parameters.posterTimeoutSeconds;
        bondWei = parameters.bondWei;
        guardian = parameters.guardian;
        challenges = parameters.challenges;
        dataDemands = parameters.dataDemands;
        _head.poster = parameters.poster;
        _head.lastActivity = _sinceGenesis(parameters.genesis);
        emit PosterChanged(address(0), parameters.poster);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HEADERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IEpochBook
    function commit(EpochHeader calldata header) external override {
        Head memory head = _head;
        uint64 epoch = header.epoch;

        // Check
        if (msg.sender != head.poster) revert Errors.EpochBook_NotPoster(msg.sender);
        if (!head.bonded) revert Errors.EpochBook_InsufficientBond(bond, bondWei);
        if (epoch != head.nextEpoch) revert Errors.EpochBook_WrongEpoch(epoch, head.nextEpoch);
        uint256 opensAt = epochEnd(epoch) + intakeGraceSeconds;
        if (block.timestamp < opensAt) revert Errors.EpochBook_EpochNotOver(epoch, opensAt);
        if (!_isChild(epoch, header.parent)) revert Errors.EpochBook_ParentMismatch(epoch, header.parent);

        // Effect
        bytes32 headerHash = HeaderLib.hash(header);
        uint32 time = _sinceGenesis(genesis);
        uint24 pending = head.pending + 1;
        uint32 next = head.nextEpoch + 1;
        _head.nextEpoch = next;
        _head.pending = pending;
        _head.lastActivity = time;
        _words[epoch] = uint256(bytes32(HeaderLib.digest(headerHash))) | time;
        _emitCommitted(epoch, headerHash, header);
    }

    /// @inheritdoc IEpochBook
    function finalise(uint64 epoch) external override {
        Head memory head = _head;
        uint64 expected = head.nextEpoch - head.pending;
        if (epoch != expected) revert Errors.EpochBook_WrongEpoch(epoch, expected);
        // slither-disable-next-line incorrect-equality
        if (head.pending == 0) revert Errors.EpochBook_NotPending(epoch);
        uint256 until = genesis + (_words[epoch] & FINAL) + challengeSeconds;
        if (block.timestamp < until) revert Errors.EpochBook_ChallengeWindowOpen(epoch, until);

        head.pending -= 1;
        _head = head;
        _setFinal(epoch);
    }

    /// @inheritdoc IEpochBook
    function void(uint64 epoch, address challenger) external override {
        // Check. Nobody is the zero address, so it stands for nobody.
        if (msg.sender != challenges && msg.sender != dataDemands) {
            revert Errors.EpochBook_CannotVoid(msg.sender);
        }

        // Effect
        Head memory head = _head;
        uint64 last = _rewind(head, epoch);
        head.bonded = false;
        _head = head;
        emit HeadersVoided(epoch, last, challenger);
        uint256 slashed = bond;
        if (slashed == 0) return;
        uint256 reward = slashed / 2;
        bond = 0;
        creditOf[challenger] += reward;
        emit BondSlashed(head.poster, challenger, reward, slashed - reward);

        // Interaction. The zero address has no code, so nothing can refuse.
        // slither-disable-next-line low-level-calls
        (bool burned,) = address(0).call{ value: slashed - reward }("");
        if (!burned) revert Errors.EpochBook_BurnFailed(slashed - reward);
    }

    /// @inheritdoc IEpochBook
    function veto(uint64 epoch) external override {
        if (msg.sender != guardian) revert Errors.EpochBook_NotGuardian(msg.sender);
        Head memory head = _head;
        uint64 last = _rewind(head, epoch);
        _head = head;
        emit HeadersVetoed(epoch, last, msg.sender);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                  POSTER AND BOND
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IEpochBook
    function postBond() external payable override {
        if (msg.sender != _head.poster) revert Errors.EpochBook_NotPoster(msg.sender);
        _addBond(msg.sender);
    }

    /// @inheritdoc IEpochBook
    function withdrawBond() external override {
        Head memory head = _head;
        if (msg.sender != head.poster) revert Errors.EpochBook_NotPoster(msg.sender);
        if (head.pending != 0) {
            revert Errors.EpochBook_BondInUse(head.nextEpoch - head.pending, head.nextEpoch);
        }
        uint256 amount = bond;
        if (amount == 0) revert Errors.EpochBook_NothingToWithdraw(msg.sender);

        bond = 0;
        _head.bonded = false;
        creditOf[msg.sender] += amount;
        emit BondWithdrawn(msg.sender, amount);
    }

    /// @inheritdoc IEpochBook
    function takeOver() external payable override {
        Head memory head = _head;
        address former = head.poster;
        if (msg.sender == guardian) revert Errors.EpochBook_GuardianCannotPost(msg.sender);
        if (msg.sender == former) revert Errors.EpochBook_AlreadyPoster(msg.sender);
        uint256 until = genesis + uint256(head.lastActivity) + posterTimeoutSeconds;
        if (block.timestamp < until) revert Errors.EpochBook_PosterActive(until);
        if (msg.value < bondWei) revert Errors.EpochBook_InsufficientBond(msg.value, bondWei);

        // Their windows are over: the last of them was committed at least challengeSeconds ago.
        for (uint256 epoch = head.nextEpoch - head.pending; epoch < head.nextEpoch; ++epoch) {
            _setFinal(epoch.toUint64());
        }
        head.pending = 0;
        head.poster = msg.sender;
        head.lastActivity = _sinceGenesis(genesis);
        _head = head;
        creditOf[former] += bond;
        bond = 0;
        emit PosterChanged(former, msg.sender);
        _addBond(msg.sender);
    }

    /// @inheritdoc IEpochBook
    function withdrawCredit(address to) external override {
        uint256 amount = creditOf[msg.sender];
        if (amount == 0) revert Errors.EpochBook_NothingToWithdraw(msg.sender);

        creditOf[msg.sender] = 0;
        emit CreditWithdrawn(msg.sender, to, amount);

        // slither-disable-next-line low-level-calls,missing-zero-check
        (bool sent,) = to.call{ value: amount }("");
        if (!sent) revert Errors.EpochBook_WithdrawalFailed(to, amount);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       VIEWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IEpochBook
    function currentEpoch() external view override returns (uint64) {
        return block.timestamp < genesis ? 0 : ((block.timestamp - genesis) / epochSeconds).toUint64();
    }

    /// @inheritdoc IEpochBook
    function epochStart(uint64 epoch) external view override returns (uint256) {
        unchecked {
            // Numbers of 64 bits cannot overflow here.
            return genesis + uint256(epoch) * epochSeconds;
        }
    }

    /// @inheritdoc IEpochBook
    function epochEnd(uint64 epoch) public view override returns (uint256) {
        unchecked {
            // Numbers of 64 bits cannot overflow here.
            return genesis + (uint256(epoch) + 1) * epochSeconds;
        }
    }

    /// @inheritdoc IEpochBook
    function nextEpoch() external view override returns (uint64) {
        return _head.nextEpoch;
    }

    /// @inheritdoc IEpochBook
    function finalisedEpochs() external view override returns (uint64) {
        return _head.nextEpoch - _head.pending;
    }

    /// @inheritdoc IEpochBook
    function poster() external view override returns (address) {
        return _head.poster;
    }

    /// @inheritdoc IEpochBook
    function isBonded() external view override returns (bool) {
        return _head.bonded;
    }

    /// @inheritdoc IEpochBook
    function lastActivityAt() external view override returns (uint256) {
        return genesis + uint256(_head.lastActivity);
    }

    /// @inheritdoc IEpochBook
    function commitment(uint64 epoch)
        external
        view
        override
        returns (bytes28 digest, uint256 committedAt, bool finalised)
    {
        if (epoch >= _head.nextEpoch) return (0, 0, false);
        uint256 word = _words[epoch];
        // slither-disable-next-line incorrect-equality
        finalised = (word & FINAL) == FINAL;
        return (HeaderLib.digest(bytes32(word)), finalised ? 0 : genesis + (word & FINAL), finalised);
    }

    /// @inheritdoc IEpochBook
    function isFinal(uint64 epoch, bytes32 headerHash) external view override returns (bool) {
        // A voided header was never final, so its leftover word is never equal.
        // slither-disable-next-line incorrect-equality
        return _words[epoch] == (uint256(headerHash) | FINAL);
    }

    /// @inheritdoc IEpochBook
    function isPending(uint64 epoch, bytes32 headerHash) external view override returns (bool) {
        uint256 word = _words[epoch];
        // slither-disable-next-line incorrect-equality
        return epoch < _head.nextEpoch && (word & FINAL) != FINAL
            && HeaderLib.digest(bytes32(word)) == HeaderLib.digest(headerHash);
    }

    /// @inheritdoc IEpochBook
    function domainSeparator() external view override returns (bytes32) {
        return TypedData.domainSeparator(address(this));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev `emit HeaderCommitted(epoch, headerHash, msg.sender, header)`. The header was read through Solidity
    /// before, so its words are as the ABI has them and can be copied whole, which saves 500 gas a commit.
    function _emitCommitted(uint256 epoch, bytes32 headerHash, EpochHeader calldata header) private {
        bytes32 signature = HeaderCommitted.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, header, 0x100)
            log4(free, 0x100, signature, epoch, headerHash, caller())
        }
    }

    /// @dev Whether `parent` is what the header of `epoch` must name: 0 for epoch 0.
    function _isChild(uint64 epoch, bytes32 parent) private view returns (bool) {
        if (epoch == 0) return parent == 0;
        unchecked {
            // slither-disable-next-line incorrect-equality
            return HeaderLib.digest(parent) == HeaderLib.digest(bytes32(_words[epoch - 1]));
        }
    }

    /// @dev Makes `epoch`, which must be pending, the next one; returns the last epoch that had a header. The caller stores
    /// the head.
    function _rewind(Head memory head, uint64 epoch) private pure returns (uint64 last) {
        uint256 finalised = head.nextEpoch - head.pending;
        if (epoch < finalised || epoch >= head.nextEpoch) revert Errors.EpochBook_NotPending(epoch);
        last = head.nextEpoch - 1;
        head.nextEpoch = uint256(epoch).toUint32();
        head.pending = SafeCast.toUint24(epoch - finalised);
    }

    /// @dev Writes the mark of a final header into its word.
    function _setFinal(uint64 epoch) private {
        _words[epoch] |= FINAL;
        emit HeaderFinalised(epoch);
    }

    /// @dev Adds the ether sent to the poster's bond.
    function _addBond(address poster_) private {
        uint256 total = bond + msg.value;
        if (total < bondWei) revert Errors.EpochBook_InsufficientBond(total, bondWei);
        bond = total;
        _head.bonded = true;
        emit BondPosted(poster_, msg.value, total);
    }

    /// @dev Seconds since genesis, 0 before it. 32 bits last for 136 years.
    function _sinceGenesis(uint64 genesis_) private view returns (uint32) {
        return block.timestamp < genesis_ ? 0 : (block.timestamp - genesis_).toUint32();
    }
}
