// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochHeader } from "../libraries/ProtocolTypes.sol";

/// @title IEpochBook
/// @notice The book of epochs: one bonded poster commits one header per epoch; for a challenge window a header can
/// be voided; after it, it is final for ever.
interface IEpochBook {
    /*//////////////////////////////////////////////////////////////////////////
                                       TYPES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice What is fixed at construction.
    /// @param genesis When epoch 0 begins, in Unix seconds; before it, the current epoch is 0.
    /// @param epochSeconds How long an epoch is; at least 1.
    /// @param intakeGraceSeconds How long after an epoch's end its header must wait.
    /// @param challengeSeconds How long a header can be challenged, from its commit.
    /// @param posterTimeoutSeconds After how long without a commit the poster's place is open. Not less than
    /// `challengeSeconds`, nor than `epochSeconds + intakeGraceSeconds`, or a punctual poster could be replaced.
    /// @param bondWei The least bond of a poster that may commit; not 0.
    /// @param poster The first poster; it must still post its bond.
    /// @param guardian May veto; never the poster. Zero: nobody.
    /// @param challenges May void. Zero: nobody.
    /// @param dataDemands May void. Zero: nobody.
    struct Parameters {
        uint64 genesis;
        uint64 epochSeconds;
        uint64 intakeGraceSeconds;
        uint64 challengeSeconds;
        uint64 posterTimeoutSeconds;
        uint256 bondWei;
        address poster;
        address guardian;
        address challenges;
        address dataDemands;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       EVENTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice A header was committed.
    event HeaderCommitted(
        uint64 indexed epoch, bytes32 indexed headerHash, address indexed poster, EpochHeader header
    );

    /// @notice The header of an epoch is final.
    event HeaderFinalised(uint64 indexed epoch);

    /// @notice The headers from `fromEpoch` to `toEpoch`, both included, were voided for fraud.
    event HeadersVoided(uint64 indexed fromEpoch, uint64 toEpoch, address indexed challenger);

    /// @notice The headers from `fromEpoch` to `toEpoch`, both included, were vetoed.
    event HeadersVetoed(uint64 indexed fromEpoch, uint64 toEpoch, address indexed guardian);

    /// @notice The poster added to its bond.
    event BondPosted(address indexed poster, uint256 amount, uint256 bond);

    /// @notice A bond was taken: `reward` is credited to the challenger, `burned` is gone.
    event BondSlashed(address indexed poster, address indexed challenger, uint256 reward, uint256 burned);

    /// @notice The poster took its bond back, as credit.
    event BondWithdrawn(address indexed poster, uint256 amount);

    /// @notice Another poster took the place over. The former one's bond is credited to it.
    event PosterChanged(address indexed from, address indexed to);

    /// @notice Credit was paid out.
    event CreditWithdrawn(address indexed account, address indexed to, uint256 amount);

    /*//////////////////////////////////////////////////////////////////////////
                                      HEADERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Commits the header of the next epoch.
    /// @dev Only the poster, while its bond is at least `bondWei`; exactly one header per epoch, in order, not
    /// before `intakeGraceSeconds` after the epoch's end. `header.parent` must be the hash of the header before:
    /// of it the chain keeps and compares 28 bytes, and 0 for epoch 0. A void or veto that is mined before a
    /// commit makes the commit fail, so a header never lands on another parent than the poster saw.
    function commit(EpochHeader calldata header) external;

    /// @notice Makes the oldest pending header final.
    /// @dev Anyone, in order, once its challenge window is over. A final header can never be voided.
    function finalise(uint64 epoch) external;

    /// @notice Voids a pending header and all its descendants, whatever their number, and takes the poster's bond:
    /// half is credited to the challenger, the rest is burned.
    /// @dev Only `challenges` and `dataDemands`. Also after the challenge window, until somebody finalises; so a
    /// challenger should not leave it to the last block. Ether moves by pull alone: no receiver can block it. The
    /// poster must bond again before it commits.
    /// @param challenger Who is credited; the calling contract must bind it to the proof, or it can be front-run.
    function void(uint64 epoch, address challenger) external;

    /// @notice Voids a pending header and all its descendants, and takes no bond.
    /// @dev Only the guardian. It can delay, but neither post nor pay.
    function veto(uint64 epoch) external;

    /*//////////////////////////////////////////////////////////////////////////
                                  POSTER AND BOND
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Adds to the poster's bond.
    /// @dev Only the poster. All of the bond is at stake, also what exceeds `bondWei`.
    function postBond() external payable;

    /// @notice Turns the poster's bond into credit, for `withdrawCredit`.
    /// @dev Only the poster, while no header is pending: a bond stands behind each header until it is final.
    function withdrawBond() external;

    /// @notice Makes the caller the poster, with the ether sent as its bond (at least `bondWei`).
    /// @dev Anyone but the guardian, once nothing was committed for `posterTimeoutSeconds`. The headers still
    /// pending are past their challenge window then and are made final first, so no poster's bond ever stands for
    /// another's headers. Where there are too many for one transaction, call `finalise` before. A commit that is
    /// mined first makes this fail, and so does another takeover.
    function takeOver() external payable;

    /// @notice Pays the caller's credit.
    /// @dev Anyone, its own. A receiver that refuses ether blocks itself alone.
    function withdrawCredit(address to) external;

    /*//////////////////////////////////////////////////////////////////////////
                                       VIEWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice When epoch 0 begins, in Unix seconds.
    function genesis() external view returns (uint64);

    /// @notice How long an epoch is.
    function epochSeconds() external view returns (uint64);

    /// @notice How long after an epoch's end its header must wait.
    function intakeGraceSeconds() external view returns (uint64);

    /// @notice How long a header can be challenged, from its commit.
    function challengeSeconds() external view returns (uint64);

    /// @notice After how long without a commit the poster's place is open.
    function posterTimeoutSeconds() external view returns (uint64);

    /// @notice The least bond of a poster that may commit.
    function bondWei() external view returns (uint256);

    /// @notice May veto.
    function guardian() external view returns (address);

    /// @notice May void.
    function challenges() external view returns (address);

    /// @notice May void.
    function dataDemands() external view returns (address);

    /// @notice The epoch that now belongs to; 0 before genesis.
    function currentEpoch() external view returns (uint64);

    /// @notice When an epoch begins, in Unix seconds.
    function epochStart(uint64 epoch) external view returns (uint256);

    /// @notice When an epoch ends: the first second that no longer belongs to it.
    function epochEnd(uint64 epoch) external view returns (uint256);

    /// @notice The epoch whose header is committed next.
    function nextEpoch() external view returns (uint64);

    /// @notice How many epochs are final: all below this number.
    function finalisedEpochs() external view returns (uint64);

    /// @notice Who may commit.
    function poster() external view returns (address);

    /// @notice What the poster has at stake.
    function bond() external view returns (uint256);

    /// @notice Whether the poster's bond allows it to commit.
    function isBonded() external view returns (bool);

    /// @notice When the last header was committed or the poster changed, in Unix seconds; not before genesis.
    function lastActivityAt() external view returns (uint256);

    /// @notice Ether that the account can withdraw.
    function creditOf(address account) external view returns (uint256);

    /// @notice What is kept of an epoch's header: zeros where none is committed.
    /// @return digest The first 28 bytes of the header hash.
    /// @return committedAt When it was committed, in Unix seconds; 0 once it is final.
    /// @return finalised Whether it is final.
    function commitment(uint64 epoch)
        external
        view
        returns (bytes28 digest, uint256 committedAt, bool finalised);

    /// @notice Whether that is the final header of that epoch.
    function isFinal(uint64 epoch, bytes32 headerHash) external view returns (bool);

    /// @notice Whether that is the header of that epoch and it is not final yet.
    function isPending(uint64 epoch, bytes32 headerHash) external view returns (bool);

    /// @notice The EIP-712 domain separator of every message of the protocol.
    function domainSeparator() external view returns (bytes32);
}
