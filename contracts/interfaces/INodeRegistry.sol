// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { NodeRegistration } from "../libraries/ProtocolTypes.sol";

/// @title INodeRegistry
/// @notice Where nodes say how they are reached and where they are paid.
interface INodeRegistry {
    /*//////////////////////////////////////////////////////////////////////////
                                       TYPES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice What is known of a node.
    /// @param payout Where its claims are paid now.
    /// @param pendingPayout Where they will be paid from `pendingPayoutAt` on; zero if no change is under way.
    /// @param pendingPayoutAt In Unix seconds.
    /// @param nonce The nonce that the next registration must have: 0 if it never registered.
    /// @param endpoint How it is reached.
    struct Node {
        address payout;
        address pendingPayout;
        uint64 pendingPayoutAt;
        uint64 nonce;
        string endpoint;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       EVENTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice A registration was accepted. `payout` holds at once only if it is the node's first.
    event NodeRegistered(address indexed node, address payout, string endpoint, uint64 nonce);

    /// @notice Another payout address was announced; it holds from `effectiveAt` on.
    event PayoutChangeAnnounced(
        address indexed node, address indexed from, address indexed to, uint64 effectiveAt
    );

    /// @notice An announced payout address was called off.
    event PayoutChangeCancelled(address indexed node, address indexed to);

    /*//////////////////////////////////////////////////////////////////////////
                                      FUNCTIONS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Accepts a registration that the node signed (EIP-712; ERC-1271 where the node is a contract).
    /// @dev Anyone may submit it; whoever submits it first, its effect is the same. Nonces count up one by one, so
    /// a signature counts once and an older one never after a newer. The first registration sets the payout
    /// address at once. A later one with another payout address announces it, for `payoutDelaySeconds`, in which
    /// the current payout address can call it off: the hot key alone steals nothing unnoticed. One with the
    /// current payout address calls a change off; one with the announced address does not restart its delay.
    function register(NodeRegistration calldata registration, bytes calldata signature) external;

    /// @notice Calls an announced payout address off.
    /// @dev Only the node or its current payout address, before it takes effect.
    function cancelPayoutChange(address node) external;

    /// @notice How long an announced payout address waits.
    function payoutDelaySeconds() external view returns (uint64);

    /// @notice Whose domain the signatures are in.
    function epochBook() external view returns (address);

    /// @notice Where the node's claims are paid now: the node itself if it never registered.
    function payoutOf(address node) external view returns (address);

    /// @notice What is known of a node: zeros, but for the payout address, if it never registered.
    function nodeOf(address node) external view returns (Node memory);
}
