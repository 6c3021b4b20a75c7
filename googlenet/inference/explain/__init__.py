"""Why this class and not another: maps of what an answer rests on, and how far each can be trusted."""

from googlenet.inference.explain.explanation import DEFAULT, METHODS, Explanation, explain
from googlenet.inference.explain.trust import Trust, check_trust

__all__ = ["DEFAULT", "METHODS", "Explanation", "Trust", "check_trust", "explain"]
