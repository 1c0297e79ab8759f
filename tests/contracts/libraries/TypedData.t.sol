// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClaimRedirect, Receipt, SessionTicket } from "../../../contracts/libraries/ProtocolTypes.sol";
import { TypedData } from "../../../contracts/libraries/TypedData.sol";
import { Test } from "../utils/Test.sol";

contract TypedDataTest is Test {
    /// @dev Literal hashes: a field that moves or is renamed shows at once.
    function test_TypeHashesAreThoseOfTheSpecification() public pure {
        assertEq(
            TypedData.SESSION_TICKET_TYPEHASH,
            0x4b70995a8f9248781fd54abc1411a1cb3f8aafb16b91b496bf9032c2a1249f90
        );
        assertEq(
            TypedData.DOMAIN_TYPEHASH, 0x8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f
        );
    }

    /// @dev The hashes that are packed by hand are those of Solidity's own encoding, and change nothing beside them.
    function testFuzz_TicketsAndReceiptsAreHashedAsEncoded(
        SessionTicket memory ticket,
        Receipt memory receipt
    ) public pure {
        bytes memory copies = abi.encode(ticket, receipt);
        assertEq(TypedData.hash(ticket), keccak256(abi.encode(TypedData.SESSION_TICKET_TYPEHASH, ticket)));
        assertEq(TypedData.hash(receipt), keccak256(abi.encode(TypedData.RECEIPT_TYPEHASH, receipt)));
        assertEq(abi.encode(ticket, receipt), copies);
    }

    function testFuzz_FieldsOfTheSameTypeCannotBeSwapped(Receipt memory receipt) public pure {
        vm.assume(receipt.bytesDelivered != receipt.bytesOnTime);
        bytes32 before = TypedData.hash(receipt);
        (receipt.bytesDelivered, receipt.bytesOnTime) = (receipt.bytesOnTime, receipt.bytesDelivered);
        assertTrue(TypedData.hash(receipt) != before);
    }

    function testFuzz_AccountAndReceiverCannotBeSwapped(ClaimRedirect memory redirect) public pure {
        vm.assume(redirect.account != redirect.to);
        bytes32 before = TypedData.hash(redirect);
        (redirect.account, redirect.to) = (redirect.to, redirect.account);
        assertTrue(TypedData.hash(redirect) != before);
    }

    function testFuzz_NodeAndViewerCannotBeSwapped(SessionTicket memory ticket) public pure {
        vm.assume(ticket.node != ticket.viewer);
        bytes32 before = TypedData.hash(ticket);
        (ticket.node, ticket.viewer) = (ticket.viewer, ticket.node);
        assertTrue(TypedData.hash(ticket) != before);
    }

    function testFuzz_TheDigestIsBoundToTheBook(address first, address second, bytes32 structHash)
        public
        view
    {
        vm.assume(first != second);
        assertTrue(TypedData.digest(first, structHash) != TypedData.digest(second, structHash));
    }
}
