"""A prediction in words, for ledgers and people."""

from collections.abc import Sequence

from framekeep.evidence import Evidence


def headline(evidence: Evidence, class_names: Sequence[str], min_confidence: float) -> tuple[str | None, float | None]:
    """The top-1 class's name, None where it does not reach `min_confidence`, and its probability."""
    if evidence.prediction is None:
        return None, None
    label, probability = evidence.prediction.top(1)[0]
    return (class_names[label] if probability >= min_confidence else None), probability


def top_five(evidence: Evidence, class_names: Sequence[str]) -> list[tuple[str, float]]:
    """The five likeliest classes' names with their probabilities, likeliest first."""
    top = evidence.prediction.top(5) if evidence.prediction else []
    return [(class_names[label], probability) for label, probability in top]
