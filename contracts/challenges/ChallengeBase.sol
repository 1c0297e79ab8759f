// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "../interfaces/IChallenges.sol";
import { IEpochBook } from "../interfaces/IEpochBook.sol";
import { Errors } from "../libraries/Errors.sol";
import { HeaderLib } from "../libraries/HeaderLib.sol";
import { EpochHeader, RecordLeaf } from "../libraries/ProtocolTypes.sol";

/// @title ChallengeBase
/// @notice What all fraud proofs share: which headers they may be about, and what follows from them.
abstract contract ChallengeBase is IChallenges {
    /// @inheritdoc IChallenges
    address public immutable override epochBook;

    /// @inheritdoc IChallenges
    address public immutable override rewardPools;

    /// @param epochBook_ Must name this contract as the one that may void.
    /// @param rewardPools_ The pools of that book.
    constructor(address epochBook_, address rewardPools_) {
        epochBook = epochBook_;
        rewardPools = rewardPools_;
    }

    /// @dev Check: only a header that can still be voided is worth a look.
    modifier onlyPending(EpochHeader calldata header) {
        bytes32 headerHash = HeaderLib.hash(header);
        if (!IEpochBook(epochBook).isPending(header.epoch, headerHash)) {
            revert Errors.Challenges_HeaderNotPending(header.epoch, headerHash);
        }
        _;
    }

    /// @dev The end of every proof: voids the header if something is wrong, and reverts if nothing is.
    function _voidIf(bool wrong, EpochHeader calldata header) internal {
        // Check
        if (!wrong) revert Errors.Challenges_NothingWrong();

        // Interaction. Nothing is kept here, so there is no effect before it. The caller gets the reward.
        IEpochBook(epochBook).void(header.epoch, msg.sender);
    }

    /// @dev Reverts unless that is the header before, as far as the book knows it: 28 bytes of its hash. A header that
    /// names the others wrongly (`badParent`) can be challenged all the same.
    function _requireParent(EpochHeader calldata header, EpochHeader calldata parent)
        internal
        pure
        returns (bytes32 parentHash)
    {
        parentHash = HeaderLib.hash(parent);
        if (HeaderLib.digest(parentHash) != HeaderLib.digest(header.parent)) {
            revert Errors.Challenges_WrongParent(parentHash);
        }
    }

    /// @dev Reverts unless there are that many rows.
    function _requireRows(RecordLeaf[] calldata rows, uint256 expected) internal pure {
        if (rows.length != expected) revert Errors.Challenges_WrongRowCount(rows.length, expected);
    }
}
