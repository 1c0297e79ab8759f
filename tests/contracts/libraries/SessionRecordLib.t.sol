// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { SessionRecord } from "../../../contracts/libraries/ProtocolTypes.sol";
import { SessionRecordLib } from "../../../contracts/libraries/SessionRecordLib.sol";
import { TypedData } from "../../../contracts/libraries/TypedData.sol";
import { LibraryHarness } from "../utils/LibraryHarness.sol";
import { Test } from "../utils/Test.sol";

contract SessionRecordLibTest is Test {
    LibraryHarness private harness;

    function setUp() public {
        harness = new LibraryHarness();
    }

    function testFuzz_RevertWhen_ItIsNotAsLongAsARecord(uint256 length) public {
        length = bound(length, 0, 400);
        if (length == 274) return;
        vm.expectRevert(abi.encodeWithSelector(Errors.SessionRecord_WrongLength.selector, length));
        harness.decodeRecord(new bytes(length));
    }

    function test_RevertWhen_ASignatureHasAnotherLength() public {
        SessionRecord memory record;
        record.ticketSignature = new bytes(64);
        record.receiptSignature = new bytes(66);
        vm.expectRevert(abi.encodeWithSelector(Errors.SessionRecord_WrongLength.selector, 274));
        harness.encodeRecord(record);
    }

    function testFuzz_WhatIsEncodedIsDecoded(SessionRecord memory record, bytes32 r, bytes32 s, uint8 v)
        public
        view
    {
        record.ticketSignature = abi.encodePacked(r, s, v);
        record.receiptSignature = abi.encodePacked(s, r, v);
        record.receipt.sessionId = TypedData.hash(record.ticket);
        bytes memory encoded = SessionRecordLib.encode(record);
        assertEq(encoded.length, 274);
        assertEq(abi.encode(harness.decodeRecord(encoded)), abi.encode(record));
    }

    function testFuzz_EveryByteCounts(bytes32 seed, uint256 position) public view {
        position = bound(position, 0, 273);
        bytes memory encoded = new bytes(274);
        for (uint256 i; i < 274; ++i) {
            encoded[i] = keccak256(abi.encode(seed, i))[0];
        }
        SessionRecord memory record = harness.decodeRecord(encoded);
        assertEq(SessionRecordLib.encode(record), encoded);
        encoded[position] ^= 0x01;
        assertTrue(keccak256(abi.encode(harness.decodeRecord(encoded))) != keccak256(abi.encode(record)));
    }

    function test_TheLeafIsItsDigestAndWeight() public pure {
        SessionRecord memory record;
        record.ticketSignature = new bytes(65);
        record.receiptSignature = new bytes(65);
        (record.receipt.bytesDelivered, record.receipt.bytesOnTime) = (11, 4);
        bytes32 digest = keccak256(SessionRecordLib.encode(record));
        assertEq(SessionRecordLib.leafOf(record).sum, 7);
        assertEq(
            SessionRecordLib.leafOf(record).hash,
            keccak256(bytes.concat(hex"00", digest, bytes16(uint128(7))))
        );
    }
}
