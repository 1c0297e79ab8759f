// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClaimLeaf, EpochHeader } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "./ProtocolTest.sol";

/// @title ClaimTest
/// @notice Three funded pools, of which the first two pay in one token, and claims of five accounts.
abstract contract ClaimTest is ProtocolTest {
    uint256 internal constant FUNDS = 1000e18;

    address internal earner;
    uint256 internal earnerKey;
    address internal payout = makeAddr("payout");
    uint32 internal earnerIndex;
    ClaimLeaf[] internal leaves;
    EpochHeader internal header;

    function setUp() public virtual override {
        super.setUp();
        (earner, earnerKey) = makeAddrAndKey("earner");
        _fundedPool(FUNDS);
        _fundedPool(FUNDS);
        _fundedPool(FUNDS);
        for (uint160 i = 1; i <= 4; ++i) {
            leaves.push(ClaimLeaf({ account: address(i), entries: _entries(_entry(1, i)) }));
        }
        earnerIndex = 4;
        leaves.push(
            ClaimLeaf({
                account: earner, entries: _entries(_entry(1, 10e18), _entry(2, 20e18), _entry(3, 30e18))
            })
        );
        header = _settle(leaves);
    }

    function _leaf() internal view returns (ClaimLeaf memory) {
        return leaves[earnerIndex];
    }

    function _path() internal view returns (bytes32[] memory) {
        return _claimPath(leaves, earnerIndex);
    }

    /// @dev What the earner's leaf says in the next epoch.
    function _settleNext(uint256[] memory entries) internal {
        leaves[earnerIndex].entries = entries;
        header = _settle(leaves);
    }
}
