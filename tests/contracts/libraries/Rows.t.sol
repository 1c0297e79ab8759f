// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { NodeRow, PoolRow } from "../../../contracts/libraries/ProtocolTypes.sol";
import { Rows } from "../../../contracts/libraries/Rows.sol";
import { SumTree } from "../../../contracts/libraries/SumTree.sol";
import { Test } from "../utils/Test.sol";

contract RowsHarness {
    function decodePool(bytes calldata record) external pure returns (PoolRow memory) {
        return Rows.decodePool(record);
    }

    function decodeNode(bytes calldata record) external pure returns (NodeRow memory) {
        return Rows.decodeNode(record);
    }
}

contract RowsTest is Test {
    RowsHarness private harness;

    function setUp() public {
        harness = new RowsHarness();
    }

    function testFuzz_RevertWhen_ARowHasAnotherLength(bytes memory record) public {
        vm.assume(record.length != 88);
        vm.expectRevert(abi.encodeWithSelector(Errors.Rows_WrongLength.selector, record.length));
        harness.decodePool(record);
        vm.expectRevert(abi.encodeWithSelector(Errors.Rows_WrongLength.selector, record.length));
        harness.decodeNode(record);
    }

    function testFuzz_ADecodedRowIsWhatWasEncoded(PoolRow memory pool, NodeRow memory node) public view {
        assertEq(abi.encode(harness.decodePool(SumTree.encode(pool))), abi.encode(pool));
        assertEq(abi.encode(harness.decodeNode(SumTree.encode(node))), abi.encode(node));
    }
}
