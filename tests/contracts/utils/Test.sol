// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "./Vm.sol";

/// @title Test
/// @notice The base of every forge test: assertions, bounded fuzz inputs, targets of invariants.
abstract contract Test {
    /// @dev Forge looks for this getter: it tells a contract of tests from any other.
    bool public constant IS_TEST = true;

    /// @dev Where forge answers the cheat codes.
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    address[] private _targetContracts;
    address[] private _targetSenders;
    address[] private _excludedContracts;
    address[] private _excludedSenders;
    FuzzSelector[] private _targetSelectors;

    /*//////////////////////////////////////////////////////////////////////////
                                  FUZZ INPUTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Folds `value` into `[min, max]`. The edges stay likely: a value next to 0 or to the type's
    /// maximum, which the fuzzer prefers, lands next to `min` or to `max`.
    function bound(uint256 value, uint256 min, uint256 max) internal pure returns (uint256) {
        require(min <= max, "bound: max is below min");
        if (value >= min && value <= max) return value;
        uint256 size = max - min + 1;
        if (size == 0) return value;
        if (value > type(uint256).max - 4 && size > type(uint256).max - value) {
            return max - (type(uint256).max - value);
        }
        return min + value % size;
    }

    function bound(int256 value, int256 min, int256 max) internal pure returns (int256) {
        // Flips the sign bit, so that the order of signed values is that of unsigned ones.
        uint256 sign = 1 << 255;
        // forge-lint: disable-next-line(unsafe-typecast)
        return int256(bound(uint256(value) ^ sign, uint256(min) ^ sign, uint256(max) ^ sign) ^ sign);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                    ACCOUNTS
    //////////////////////////////////////////////////////////////////////////*/

    function makeAddr(string memory name) internal returns (address account) {
        (account,) = makeAddrAndKey(name);
    }

    function makeAddrAndKey(string memory name) internal returns (address account, uint256 privateKey) {
        privateKey = uint256(keccak256(bytes(name)));
        account = vm.addr(privateKey);
        vm.label(account, name);
    }

    /// @dev The next call comes from `account`, which gets `balance` first.
    function hoax(address account, uint256 balance) internal {
        vm.deal(account, balance);
        vm.prank(account);
    }

    function deal(address account, uint256 balance) internal {
        vm.deal(account, balance);
    }

    function skip(uint256 time) internal {
        vm.warp(vm.getBlockTimestamp() + time);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                   INVARIANTS
    //////////////////////////////////////////////////////////////////////////*/

    function targetContract(address target) internal {
        _targetContracts.push(target);
    }

    function targetSender(address sender) internal {
        _targetSenders.push(sender);
    }

    function targetSelector(FuzzSelector memory selector) internal {
        _targetSelectors.push(selector);
    }

    function excludeContract(address excluded) internal {
        _excludedContracts.push(excluded);
    }

    function excludeSender(address excluded) internal {
        _excludedSenders.push(excluded);
    }

    /// @dev Forge reads these five getters.
    function targetContracts() public view returns (address[] memory) {
        return _targetContracts;
    }

    function targetSenders() public view returns (address[] memory) {
        return _targetSenders;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory) {
        return _targetSelectors;
    }

    function excludeContracts() public view returns (address[] memory) {
        return _excludedContracts;
    }

    function excludeSenders() public view returns (address[] memory) {
        return _excludedSenders;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                   ASSERTIONS
    //////////////////////////////////////////////////////////////////////////*/

    function assertTrue(bool condition) internal pure {
        vm.assertTrue(condition);
    }

    function assertTrue(bool condition, string memory message) internal pure {
        vm.assertTrue(condition, message);
    }

    function assertFalse(bool condition) internal pure {
        vm.assertFalse(condition);
    }

    function assertFalse(bool condition, string memory message) internal pure {
        vm.assertFalse(condition, message);
    }

    function assertEq(bool left, bool right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(bool left, bool right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(uint256 left, uint256 right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(int256 left, int256 right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(int256 left, int256 right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(address left, address right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(address left, address right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(bytes32 left, bytes32 right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(bytes32 left, bytes32 right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(string memory left, string memory right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(string memory left, string memory right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(bytes memory left, bytes memory right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(bytes memory left, bytes memory right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertNotEq(uint256 left, uint256 right) internal pure {
        vm.assertNotEq(left, right);
    }

    function assertNotEq(address left, address right) internal pure {
        vm.assertNotEq(left, right);
    }

    function assertNotEq(bytes32 left, bytes32 right) internal pure {
        vm.assertNotEq(left, right);
    }

    function assertLt(uint256 left, uint256 right) internal pure {
        vm.assertLt(left, right);
    }

    function assertLt(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertLt(left, right, message);
    }

    function assertLe(uint256 left, uint256 right) internal pure {
        vm.assertLe(left, right);
    }

    function assertLe(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertLe(left, right, message);
    }

    function assertGt(uint256 left, uint256 right) internal pure {
        vm.assertGt(left, right);
    }

    function assertGt(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertGt(left, right, message);
    }

    function assertGe(uint256 left, uint256 right) internal pure {
        vm.assertGe(left, right);
    }

    function assertGe(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertGe(left, right, message);
    }

    function assertApproxEqAbs(uint256 left, uint256 right, uint256 maxDelta) internal pure {
        vm.assertApproxEqAbs(left, right, maxDelta);
    }

    function assertApproxEqAbs(uint256 left, uint256 right, uint256 maxDelta, string memory message)
        internal
        pure
    {
        vm.assertApproxEqAbs(left, right, maxDelta, message);
    }

    function fail(string memory message) internal pure {
        vm.assertTrue(false, message);
    }
}
