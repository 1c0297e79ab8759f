"""What went over the wire for one kind of request. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchanges:
    """How often something was asked; bytes of requests and of answers, with their headers."""

    count: int = 0
    request_bytes: int = 0
    answer_bytes: int = 0

    def __add__(self, other: "Exchanges") -> "Exchanges":
        return Exchanges(
            self.count + other.count,
            self.request_bytes + other.request_bytes,
            self.answer_bytes + other.answer_bytes,
        )

    def __sub__(self, other: "Exchanges") -> "Exchanges":
        return self + Exchanges(-other.count, -other.request_bytes, -other.answer_bytes)
