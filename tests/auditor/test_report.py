from streamrp2p.chain import EpochNotCommittedError
from streamrp2p_auditor.errors import AuditError
from streamrp2p_auditor.report import exit_code_of, json_of


def test_one_unjudged_epoch_outweighs_one_to_retry() -> None:
    later, never = EpochNotCommittedError(4, 3), AuditError("never")
    assert exit_code_of() == 0
    assert exit_code_of(later) == 3
    assert exit_code_of(later, never) == 2
    assert json_of(4, later)["error"]["retryable"] is True
