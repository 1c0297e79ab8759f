// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ClaimLeaf,
    EpochHeader,
    NodeRegistration,
    PoolRow,
    Stream,
    SumNode,
    Terms
} from "../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "./utils/ProtocolTest.sol";

/// @notice What the usual calls cost in execution; .gas-snapshot keeps it (`make gas`).
/// @dev A claims tree of 2^20 accounts is made of one leaf and twenty siblings. tests/contracts/test_gas.py measures
/// whole transactions.
contract GasTest is ProtocolTest {
    uint256 private constant DEPTH = 20;
    uint256 private constant ROW_DEPTH = 10;
    uint32 private constant INDEX = 0xABCDE;
    uint256 private constant POOLS = 10;

    EpochHeader private oneHeader;
    EpochHeader private laterHeader;
    EpochHeader private manyHeader;
    EpochHeader private pendingHeader;
    EpochHeader private nextHeader;
    NodeRegistration private registration;
    bytes private signature;
    PoolRow private row;

    /// @dev Headers 0 to 3 are final, 4 is pending, 5 is ready; pool 11 is closed.
    function setUp() public override {
        super.setUp();
        for (uint256 i; i < POOLS; ++i) {
            _fundedPool(1000e18);
        }
        uint32 closed = _fundedPool(1000e18);
        vm.prank(streamer);
        pools.close(closed);
        row = PoolRow({
            poolId: closed, nodesRoot: "nodes", nodeCount: 3, weight: 1e12, spend: 1e18, cumulativeSpend: 1e18
        });
        EpochHeader memory first = _header(0);
        SumNode memory top = _poolsTop();
        (first.poolsRoot, first.weight, first.poolCount) = (top.hash, top.sum, uint32(1 << ROW_DEPTH));
        _commit(first);
        oneHeader = _committed(_one(123e18));
        laterHeader = _committed(_one(456e18));
        manyHeader = _committed(_many());
        _finaliseAll();
        // The account has a balance, and no pool pair starts empty twice.
        token.mint(alice, 1);

        pendingHeader = _header(4);
        pendingHeader.claimCount = 1 << 20;
        _commit(pendingHeader);
        nextHeader = _header(5);
        nextHeader.weight = 1e15;
        nextHeader.poolsRoot = "pools";
        _warpTo(_opensAt(5));

        uint256 key;
        (registration.node, key) = makeAddrAndKey("node");
        registration.payout = alice;
        registration.endpoint = "https://node.example:8443";
        registration.deadline = type(uint64).max;
        signature = _sign(key, _registrationHash());
        token.mint(streamer, 100e18);
        vm.prank(streamer);
        token.approve(address(pools), type(uint256).max);
    }

    /// @dev What a test prepares is not metered. The numbers are for comparison alone: a claim made before leaves
    /// its words warm.
    modifier metersTheCall() {
        vm.pauseGasMetering();
        _;
    }

    function test_Commit() public metersTheCall {
        EpochHeader memory header = nextHeader;
        vm.prank(poster);
        vm.resumeGasMetering();
        book.commit(header);
    }

    function test_Finalise() public metersTheCall {
        skip(CHALLENGE_SECONDS);
        vm.resumeGasMetering();
        book.finalise(4);
    }

    function test_Void() public metersTheCall {
        vm.prank(challenges);
        vm.resumeGasMetering();
        book.void(4, challenger);
    }

    function test_Veto() public metersTheCall {
        vm.prank(guardian);
        vm.resumeGasMetering();
        book.veto(4);
    }

    function test_Register() public metersTheCall {
        NodeRegistration memory submitted = registration;
        bytes memory signed = signature;
        vm.resumeGasMetering();
        registry.register(submitted, signed);
    }

    function test_Create() public metersTheCall {
        Terms memory terms = _terms();
        Stream memory stream = _stream();
        vm.prank(streamer);
        vm.resumeGasMetering();
        pools.create(address(token), terms, stream);
    }

    function test_Deposit() public metersTheCall {
        vm.prank(streamer);
        vm.resumeGasMetering();
        pools.deposit(1, 100e18);
    }

    function test_ClaimToOfOnePool() public metersTheCall {
        _claim(oneHeader, _one(123e18));
    }

    function test_ClaimToOfOnePoolAgain() public metersTheCall {
        EpochHeader memory first = oneHeader;
        vm.prank(alice);
        pools.claimTo(first, _one(123e18), INDEX, _path(), ALL, alice);
        _claim(laterHeader, _one(456e18));
    }

    function test_ClaimToOfTenPools() public metersTheCall {
        _claim(manyHeader, _many());
    }

    function test_Claim() public metersTheCall {
        EpochHeader memory header = oneHeader;
        ClaimLeaf memory leaf = _one(123e18);
        bytes32[] memory path = _path();
        vm.resumeGasMetering();
        pools.claim(header, leaf, INDEX, path, ALL);
    }

    function test_Refund() public metersTheCall {
        EpochHeader memory header = _header(0);
        SumNode memory top = _poolsTop();
        (header.poolsRoot, header.weight, header.poolCount) = (top.hash, top.sum, uint32(1 << ROW_DEPTH));
        SumNode[] memory path = _rowPath();
        PoolRow memory shown = row;
        vm.prank(streamer);
        vm.resumeGasMetering();
        pools.refund(header, shown, 0, path, streamer);
    }

    function _claim(EpochHeader memory header, ClaimLeaf memory leaf) private {
        bytes32[] memory path = _path();
        vm.prank(alice);
        vm.resumeGasMetering();
        pools.claimTo(header, leaf, INDEX, path, ALL, alice);
    }

    function _committed(ClaimLeaf memory leaf) private returns (EpochHeader memory header) {
        header = _header(book.nextEpoch());
        bytes32 root = _claimHash(leaf);
        bytes32[] memory path = _path();
        for (uint256 level; level < DEPTH; ++level) {
            root = (INDEX >> level) & 1 == 0
                ? keccak256(bytes.concat(root, path[level]))
                : keccak256(bytes.concat(path[level], root));
        }
        (header.claimsRoot, header.claimCount) = (root, uint32(1 << DEPTH));
        _commit(header);
    }

    function _one(uint256 amount) private view returns (ClaimLeaf memory) {
        return ClaimLeaf({ account: alice, entries: _entries(_entry(1, amount)) });
    }

    function _many() private view returns (ClaimLeaf memory) {
        uint256[] memory entries = new uint256[](POOLS);
        for (uint256 i; i < POOLS; ++i) {
            entries[i] = _entry(i + 1, 500e18);
        }
        return ClaimLeaf({ account: alice, entries: entries });
    }

    function _path() private pure returns (bytes32[] memory path) {
        path = new bytes32[](DEPTH);
        for (uint256 level; level < DEPTH; ++level) {
            path[level] = _sibling(level);
        }
    }

    function _rowPath() private pure returns (SumNode[] memory path) {
        path = new SumNode[](ROW_DEPTH);
        for (uint256 level; level < ROW_DEPTH; ++level) {
            path[level] = SumNode(_sibling(level), uint128(level));
        }
    }

    /// @dev The row is the first of 2^10.
    function _poolsTop() private view returns (SumNode memory top) {
        SumNode[] memory path = _rowPath();
        top = _poolLeaf(row);
        for (uint256 level; level < ROW_DEPTH; ++level) {
            top.hash = keccak256(
                bytes.concat(hex"01", top.hash, bytes16(top.sum), path[level].hash, bytes16(path[level].sum))
            );
            top.sum += path[level].sum;
        }
    }

    function _sibling(uint256 level) private pure returns (bytes32) {
        return keccak256(abi.encode("sibling", level));
    }

    function _registrationHash() private view returns (bytes32) {
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
}
