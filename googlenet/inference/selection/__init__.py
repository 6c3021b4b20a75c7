"""Which checkpoint of a run is the best: judged on images held out of training, promoted, and reported once on others.

The room's face; it imports torch.
"""

from googlenet.inference.selection.judge import Judged, RunJudgement, judge_run, stored_judgement
from googlenet.inference.selection.judges import judges_of, load_judges
from googlenet.inference.selection.promotion import promote
from googlenet.inference.selection.publish import publish_weights
from googlenet.inference.selection.report import report_on_test, test_reports
from googlenet.inference.selection.store import weights_digest

__all__ = [
    "Judged",
    "RunJudgement",
    "judge_run",
    "judges_of",
    "load_judges",
    "promote",
    "publish_weights",
    "report_on_test",
    "stored_judgement",
    "test_reports",
    "weights_digest",
]
