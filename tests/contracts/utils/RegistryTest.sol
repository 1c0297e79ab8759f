// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { NodeRegistration } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "./ProtocolTest.sol";

/// @title RegistryTest
/// @notice A node that registers.
abstract contract RegistryTest is ProtocolTest {
    address internal node;
    uint256 internal nodeKey;

    function setUp() public virtual override {
        super.setUp();
        (node, nodeKey) = makeAddrAndKey("node");
    }

    function _registration(address payout, uint64 nonce) internal view returns (NodeRegistration memory) {
        return NodeRegistration({
            node: node,
            payout: payout,
            endpoint: "https://node.example:8443",
            nonce: nonce,
            deadline: uint64(vm.getBlockTimestamp())
        });
    }

    /// @dev The struct hash by its definition in docs/protocol.md.
    function _structHash(NodeRegistration memory registration) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "NodeRegistration(address node,address payout,string endpoint,uint64 nonce,uint64 deadline)"
                ),
                registration.node,
                registration.payout,
                keccak256(bytes(registration.endpoint)),
                registration.nonce,
                registration.deadline
            )
        );
    }

    function _submit(NodeRegistration memory registration) internal {
        registry.register(registration, _sign(nodeKey, _structHash(registration)));
    }

    /// @dev The node's next registration, with that payout address.
    function _register(address payout) internal {
        NodeRegistration memory registration = _registration(payout, registry.nodeOf(node).nonce);
        _submit(registration);
    }
}
