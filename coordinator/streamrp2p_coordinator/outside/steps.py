"""What a look at a node finds, step by step."""

from streamrp2p import api


class StepFailedError(Exception):
    """Ends a look. `code` names what is wrong, `detail` tells it, `fix` says what the operator can do."""

    def __init__(self, code: str, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fix = fix

    def step(self, name: str) -> api.CheckStep:
        """Return it as the result of a step."""
        return api.CheckStep(
            step=name, ok=False, code=self.code, detail=self.detail[:1000], fix=self.fix[:1000]
        )


def passed(name: str, detail: str) -> api.CheckStep:
    """Return a step that went well."""
    return api.CheckStep(step=name, ok=True, code="ok", detail=detail[:1000])


def noted(name: str, code: str, detail: str, fix: str) -> api.CheckStep:
    """Return a step that went well enough: the node works, but not for all."""
    return api.CheckStep(step=name, ok=True, code=code, detail=detail[:1000], fix=fix[:1000])
