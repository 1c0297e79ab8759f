// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import { INodeRegistry } from "./interfaces/INodeRegistry.sol";
import { Errors } from "./libraries/Errors.sol";
import { NodeRegistration } from "./libraries/ProtocolTypes.sol";
import { TypedData } from "./libraries/TypedData.sol";

/// @title NodeRegistry
/// @notice See `INodeRegistry`. No owner; it holds no money.
contract NodeRegistry is INodeRegistry {
    using SafeCast for uint256;

    /*//////////////////////////////////////////////////////////////////////////
                                       TYPES
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev `payoutOf` reads the first word, and the second only while a change is announced.
    struct Registration {
        address payout;
        uint64 nonce;
        bool hasPending;
        address pendingPayout;
        uint64 pendingPayoutAt;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     IMMUTABLES
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc INodeRegistry
    address public immutable override epochBook;

    /// @inheritdoc INodeRegistry
    uint64 public immutable override payoutDelaySeconds;

    /*//////////////////////////////////////////////////////////////////////////
                                      STORAGE
    //////////////////////////////////////////////////////////////////////////*/

    mapping(address node => Registration) private _registrations;

    mapping(address node => string) private _endpoints;

    /*//////////////////////////////////////////////////////////////////////////
                                    CONSTRUCTOR
    //////////////////////////////////////////////////////////////////////////*/

    /// @param epochBook_ Whose domain the signatures are in.
    /// @param payoutDelaySeconds_ How long an announced payout address waits.
    constructor(address epochBook_, uint64 payoutDelaySeconds_) {
        // slither-disable-next-line missing-zero-check
        epochBook = epochBook_;
        payoutDelaySeconds = payoutDelaySeconds_;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                    REGISTRATION
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc INodeRegistry
    function register(NodeRegistration calldata registration, bytes calldata signature) external override {
        address node = registration.node;
        Registration memory known = _registrations[node];

        // Check
        if (block.timestamp > registration.deadline) {
            revert Errors.NodeRegistry_DeadlineOver(registration.deadline);
        }
        if (registration.payout == address(0)) revert Errors.NodeRegistry_ZeroPayout(node);
        if (registration.nonce != known.nonce) {
            revert Errors.NodeRegistry_WrongNonce(node, registration.nonce, known.nonce);
        }
        bytes32 digest = TypedData.digest(epochBook, TypedData.hash(registration));
        if (!SignatureChecker.isValidSignatureNowCalldata(node, digest, signature)) {
            revert Errors.NodeRegistry_InvalidSignature(node);
        }

        // Effect
        if (known.nonce == 0) known.payout = registration.payout;
        else _changePayout(node, known, registration.payout);
        known.nonce += 1;
        _registrations[node] = known;
        _endpoints[node] = registration.endpoint;
        emit NodeRegistered(node, registration.payout, registration.endpoint, registration.nonce);
    }

    /// @inheritdoc INodeRegistry
    function cancelPayoutChange(address node) external override {
        Registration memory known = _registrations[node];
        address current = _payoutOf(node, known);
        if (msg.sender != node && msg.sender != current) {
            revert Errors.NodeRegistry_NotAllowed(msg.sender, node);
        }
        // One that has taken effect is no longer under way.
        if (!known.hasPending || _isDue(known)) {
            revert Errors.NodeRegistry_NoChangeUnderWay(node);
        }

        _clearPending(node, known);
        _registrations[node] = known;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       VIEWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc INodeRegistry
    function payoutOf(address node) external view override returns (address) {
        Registration storage known = _registrations[node];
        address payout = known.payout;
        if (known.hasPending && block.timestamp >= known.pendingPayoutAt) return known.pendingPayout;
        return payout == address(0) ? node : payout;
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(address node) external view override returns (Node memory) {
        Registration memory known = _registrations[node];
        address current = _payoutOf(node, known);
        bool underWay = known.hasPending && !_isDue(known);
        return Node({
            payout: current,
            pendingPayout: underWay ? known.pendingPayout : address(0),
            pendingPayoutAt: underWay ? known.pendingPayoutAt : 0,
            nonce: known.nonce,
            endpoint: _endpoints[node]
        });
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Announces, keeps or calls off a change, in memory; what is due takes effect first.
    function _changePayout(address node, Registration memory known, address payout) private {
        if (_isDue(known)) {
            known.payout = known.pendingPayout;
            _forgetPending(known);
        }
        if (payout == known.payout) {
            if (known.hasPending) _clearPending(node, known);
        } else if (!known.hasPending || payout != known.pendingPayout) {
            if (known.hasPending) _clearPending(node, known);
            known.hasPending = true;
            known.pendingPayout = payout;
            known.pendingPayoutAt = (block.timestamp + payoutDelaySeconds).toUint64();
            emit PayoutChangeAnnounced(node, known.payout, payout, known.pendingPayoutAt);
        }
    }

    function _clearPending(address node, Registration memory known) private {
        emit PayoutChangeCancelled(node, known.pendingPayout);
        _forgetPending(known);
    }

    function _forgetPending(Registration memory known) private pure {
        known.hasPending = false;
        known.pendingPayout = address(0);
        known.pendingPayoutAt = 0;
    }

    function _payoutOf(address node, Registration memory known) private view returns (address) {
        if (known.nonce == 0) return node;
        return _isDue(known) ? known.pendingPayout : known.payout;
    }

    function _isDue(Registration memory known) private view returns (bool) {
        return known.hasPending && block.timestamp >= known.pendingPayoutAt;
    }
}
