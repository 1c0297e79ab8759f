// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DataDemands } from "../../../contracts/DataDemands.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { DemandTest } from "../utils/DemandTest.sol";

contract DataDemandsConstructorTest is DemandTest {
    function test_RevertWhen_NobodyHasTimeToAnswer() public {
        _expectBad("responseSeconds");
        new DataDemands(address(book), 0, DEMAND_BOND);
    }

    function test_RevertWhen_TheWindowHoldsLessThanFourAnswers() public {
        uint64 longest = CHALLENGE_SECONDS / 4;
        _expectBad("responseSeconds");
        new DataDemands(address(book), longest + 1, DEMAND_BOND);
        new DataDemands(address(book), longest, DEMAND_BOND);
    }

    function test_RevertWhen_TheResponseTimeWouldOverflow() public {
        _expectBad("responseSeconds");
        new DataDemands(address(book), type(uint64).max, DEMAND_BOND);
    }

    function test_RevertWhen_DemandsCostNothing() public {
        _expectBad("demandBondWei");
        new DataDemands(address(book), RESPONSE_SECONDS, 0);
    }

    function test_KeepsItsParameters() public view {
        assertEq(demands.epochBook(), address(book));
        assertEq(demands.responseSeconds(), RESPONSE_SECONDS);
        assertEq(demands.demandBondWei(), DEMAND_BOND);
    }

    function _expectBad(bytes32 name) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_BadParameter.selector, name));
    }
}
