// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { StreamToken } from "../../contracts/StreamToken.sol";
import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import { Test } from "./utils/Test.sol";

contract StreamTokenTest is Test {
    uint256 private constant SUPPLY = 1e27;
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    StreamToken private token;
    address private owner;
    uint256 private ownerKey;
    address private receiver;

    function setUp() public {
        (owner, ownerKey) = makeAddrAndKey("owner");
        receiver = makeAddr("receiver");
        token = new StreamToken(owner, SUPPLY);
    }

    function test_RevertWhen_BalanceIsTooSmall() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, receiver, 0, 1)
        );
        vm.prank(receiver);
        token.transfer(owner, 1);
    }

    function test_RevertWhen_PermitHasExpired() public {
        vm.warp(100);
        (uint8 v, bytes32 r, bytes32 s) = _signPermit(1, 99);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612ExpiredSignature.selector, 99));
        token.permit(owner, receiver, 1, 99, v, r, s);
    }

    function test_NamesItself() public view {
        assertEq(token.name(), "StreamrP2P Token");
        assertEq(token.symbol(), "SRP");
        assertEq(token.decimals(), 18);
    }

    function test_MintsTheSupplyToTheOwner() public view {
        assertEq(token.totalSupply(), SUPPLY);
        assertEq(token.balanceOf(owner), SUPPLY);
    }

    function test_PermitApprovesAndRaisesTheNonce() public {
        vm.warp(100);
        (uint8 v, bytes32 r, bytes32 s) = _signPermit(7, 100);
        token.permit(owner, receiver, 7, 100, v, r, s);
        assertEq(token.allowance(owner, receiver), 7);
        assertEq(token.nonces(owner), 1);
    }

    function testFuzz_VotesMoveWithTheTokens(uint256 amount) public {
        amount = bound(amount, 0, SUPPLY);
        vm.prank(owner);
        token.delegate(owner);
        vm.prank(receiver);
        token.delegate(receiver);
        vm.prank(owner);
        assertTrue(token.transfer(receiver, amount));
        assertEq(token.getVotes(owner), SUPPLY - amount);
        assertEq(token.getVotes(receiver), amount);
    }

    function _signPermit(uint256 value, uint256 deadline) private view returns (uint8, bytes32, bytes32) {
        bytes32 structHash =
            keccak256(abi.encode(PERMIT_TYPEHASH, owner, receiver, value, token.nonces(owner), deadline));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), structHash));
        return vm.sign(ownerKey, digest);
    }
}
