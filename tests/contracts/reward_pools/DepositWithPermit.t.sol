// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { StreamToken } from "../../../contracts/StreamToken.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract RewardPoolsDepositWithPermitTest is ProtocolTest {
    uint256 private constant AMOUNT = 5e18;

    StreamToken private permitted;
    address private owner;
    uint256 private ownerKey;
    uint32 private poolId;
    uint256 private deadline;

    function setUp() public override {
        super.setUp();
        (owner, ownerKey) = makeAddrAndKey("owner");
        permitted = new StreamToken(owner, 1e27);
        poolId = _createPool(address(permitted));
        deadline = vm.getBlockTimestamp() + 1;
    }

    function test_RevertWhen_ThereIsNoSuchPool() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_UnknownPool.selector, 2));
        pools.depositWithPermit(2, AMOUNT, deadline, 27, 0, 0);
    }

    function test_RevertWhen_ThePermitIsWrongAndNothingIsAllowed() public {
        vm.expectRevert();
        vm.prank(owner);
        pools.depositWithPermit(poolId, AMOUNT, deadline, 27, bytes32(uint256(1)), bytes32(uint256(1)));
    }

    function test_RevertWhen_AnotherUsesThePermit() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit();
        vm.expectRevert();
        vm.prank(stranger);
        pools.depositWithPermit(poolId, AMOUNT, deadline, v, r, s);
    }

    function test_ThePermitIsEnough() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit();
        vm.prank(owner);
        assertEq(pools.depositWithPermit(poolId, AMOUNT, deadline, v, r, s), AMOUNT);
        assertEq(pools.poolOf(poolId).remaining, AMOUNT);
        assertEq(permitted.allowance(owner, address(pools)), 0);
    }

    function test_APermitThatAnotherUsedUpDoesNotBlock() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit();
        vm.prank(stranger);
        permitted.permit(owner, address(pools), AMOUNT, deadline, v, r, s);

        vm.prank(owner);
        assertEq(pools.depositWithPermit(poolId, AMOUNT, deadline, v, r, s), AMOUNT);
        assertEq(pools.poolOf(poolId).remaining, AMOUNT);
    }

    function test_ATokenWithoutPermitsIsTakenByItsAllowance() public {
        uint32 plain = _createPool(address(token));
        token.mint(owner, AMOUNT);
        vm.prank(owner);
        token.approve(address(pools), AMOUNT);
        vm.prank(owner);
        pools.depositWithPermit(plain, AMOUNT, deadline, 27, 0, 0);
        assertEq(pools.poolOf(plain).remaining, AMOUNT);
    }

    function _permit() private view returns (uint8, bytes32, bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
                ),
                owner,
                address(pools),
                AMOUNT,
                permitted.nonces(owner),
                deadline
            )
        );
        return
            vm.sign(
                ownerKey, keccak256(abi.encodePacked(hex"1901", permitted.DOMAIN_SEPARATOR(), structHash))
            );
    }
}
