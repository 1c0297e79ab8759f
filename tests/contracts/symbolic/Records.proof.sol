// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { HeaderLib } from "../../../contracts/libraries/HeaderLib.sol";
import { EpochHeader, NodeRow, PoolRow, SessionRecord } from "../../../contracts/libraries/ProtocolTypes.sol";
import { Rows } from "../../../contracts/libraries/Rows.sol";
import { SessionRecordLib } from "../../../contracts/libraries/SessionRecordLib.sol";
import { SumTree } from "../../../contracts/libraries/SumTree.sol";

/// @notice Encodings, for all records: what is hashed says every field, once.
contract RecordsProof {
    function check_AHeadersHashIsThatOfItsEncoding(EpochHeader calldata header) external pure {
        bytes memory encoded = HeaderLib.encode(header);
        assert(encoded.length == 160);
        assert(HeaderLib.hash(header) == keccak256(encoded));
    }

    function check_AHeadersHashSaysEveryField(EpochHeader calldata header, EpochHeader calldata other)
        external
        pure
    {
        require(HeaderLib.hash(header) == HeaderLib.hash(other));
        assert(keccak256(abi.encode(header)) == keccak256(abi.encode(other)));
    }

    function check_APoolsRowIsReadAsItWasWritten(PoolRow calldata row) external view {
        bytes memory encoded = SumTree.encode(row);
        assert(encoded.length == 88);
        assert(keccak256(abi.encode(this.decodePool(encoded))) == keccak256(abi.encode(row)));
    }

    function check_ANodesRowIsReadAsItWasWritten(NodeRow calldata row) external view {
        bytes memory encoded = SumTree.encode(row);
        assert(encoded.length == 88);
        assert(keccak256(abi.encode(this.decodeNode(encoded))) == keccak256(abi.encode(row)));
    }

    /// @custom:halmos --array-lengths record={87,88,89}
    function check_EveryPoolsRowIsWrittenAsItIsRead(bytes calldata record) external pure {
        assert(keccak256(SumTree.encode(Rows.decodePool(record))) == keccak256(record));
    }

    /// @custom:halmos --array-lengths record={87,88,89}
    function check_EveryNodesRowIsWrittenAsItIsRead(bytes calldata record) external pure {
        assert(keccak256(SumTree.encode(Rows.decodeNode(record))) == keccak256(record));
    }

    /// @custom:halmos --array-lengths record={273,274,275}
    function check_EverySessionRecordIsWrittenAsItIsRead(bytes calldata record) external pure {
        SessionRecord memory decoded = SessionRecordLib.decode(record);
        assert(keccak256(SessionRecordLib.encode(decoded)) == keccak256(record));
    }

    function decodePool(bytes calldata record) external pure returns (PoolRow memory) {
        return Rows.decodePool(record);
    }

    function decodeNode(bytes calldata record) external pure returns (NodeRow memory) {
        return Rows.decodeNode(record);
    }
}
