"""Making a checkpoint its run's best: one operation, which has happened or has not, whatever interrupts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.nn import functional as F

from googlenet.data.datasets import Progress
from googlenet.errors import LabError
from googlenet.files import write_atomically
from googlenet.inference.calibration import COLDEST, HOTTEST, expected_calibration_error, fit_temperature
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import check_classes, evaluate_features
from googlenet.inference.novelty import FACT, TEXTURES, fit_features
from googlenet.inference.prototypes import widths
from googlenet.inference.selection.judges import Judges, are_other_images, load_judges
from googlenet.inference.selection.store import weights_digest
from googlenet.language import retell, tr
from googlenet.models.weights import add_facts
from googlenet.runs import Run, while_not_trained
from googlenet.runs.lock import while_promoting
from googlenet.runs.manage import finish_prune


@dataclass(frozen=True)
class Calibration:
    """A temperature, and what it does to the `n` images that it was fitted on: before and `scaled`, after.

    On other images it will do a little less. None is no refusal to promote: a network that is right about all `n`
    images, or hardly better than a guess, is what its run has, and the number at the end of the search says nothing
    of it. What is `scaled` is then as before.
    """

    temperature: float | None
    n: int
    loss: float  # nats
    scaled_loss: float
    calibration_error: float
    scaled_calibration_error: float

    @property
    def sentence(self) -> str:
        """For people, without a full stop."""
        if self.temperature is None:
            return tr(
                "no temperature was stored: on these {n:,} images the best one is not between {coldest:g} and "
                "{hottest:g}, as for a network that has learned nothing yet, or that is right about every one of them",
                n=self.n,
                coldest=COLDEST,
                hottest=HOTTEST,
            )
        return tr(
            "temperature {temperature:.3f}, fitted on {n:,} images: calibration error {before:.2%} before, "
            "{after:.2%} after",
            temperature=self.temperature,
            n=self.n,
            before=self.calibration_error,
            after=self.scaled_calibration_error,
        )


def promote(
    checkpoints: Path | str,
    run: str,
    checkpoint: str,
    *,
    data: str | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Calibration:
    """Make `checkpoint` ("run/epoch-0299" or "epoch-0299") the run's best.safetensors, with what is fitted for it.

    That is its temperature and the threshold of its warning, by the images that judge the run (`data` says where they
    are now). Nothing is written before that is done, and then best is replaced at once: refused, ended by `progress`
    or killed, the run has the best it had. That one stays as an epoch's file when no other has its weights.
    Raises `LabError` as `judge_run`, for a checkpoint that is not the run's, while the run is being trained, and while
    another promotion of it is at work.
    """
    known = Run(checkpoints, run)
    with while_promoting(known):
        return _promote(checkpoints, known, checkpoint, data, device, progress)


def _promote(
    checkpoints: Path | str, known: Run, checkpoint: str, data: str | None, device: str, progress: Progress | None
) -> Calibration:
    run, config, chosen = known.name, known.config(), known.find(checkpoint).path
    with while_not_trained(checkpoints, run):
        best, digest = known.path / "best.safetensors", weights_digest(chosen)
        former = weights_digest(best) if best.is_file() else None
    # Of two files with these weights it is the best's facts that stay: the errors of its warning may be measured.
    source = best if former == digest else chosen
    fitted, facts = fit_facts(source, load_judges(config, data, progress), device=device, progress=progress)
    with while_not_trained(checkpoints, run):
        if weights_digest(source) != digest:
            meanwhile = tr("{file} was replaced meanwhile: judge {run} again.", file=source.name, run=run)
            raise LabError(meanwhile, "checkpoint")
        finish_prune(known.path)  # a name that it has given up may be taken again
        if best.is_file() and source != best:
            _keep(best, known)
        add_facts(source, best, **facts)
    return fitted


def _keep(best: Path, run: Run) -> None:
    """Give the weights in `best` an epoch's name too, unless they have another one.

    It is a second name, not a second copy: best is replaced by another file, so that a kill before that leaves one
    file under two names.
    """
    digest = weights_digest(best)
    if digest in {weights_digest(other.path) for other in run.checkpoints()[0] if other.path != best}:
        return
    epoch = run.find("best").epoch
    name = "epoch-unknown" if epoch is None else f"epoch-{epoch:04d}"
    path = best.with_name(f"{name}.safetensors")
    path = path if not path.exists() else path.with_name(f"{name}-{digest[:8]}.safetensors")
    try:
        path.hardlink_to(best)
    except OSError:  # a disk that has no second names
        write_atomically(path, best.read_bytes())


def fit_facts(
    path: Path, judges: Judges, *, device: str = "auto", progress: Progress | None = None
) -> tuple[Calibration, dict[str, Any]]:
    """What the choosing images of `judges` say of the weights file `path`, and that as facts to write into it.

    The threshold above which a picture looks like no class is among them, unless the file has one by textures too or
    one whose errors were measured; a temperature that it has gives way. The weights stay as they are, and so do the
    logits: `Classifier` divides them. Raises `LabError` for a file that is no checkpoint or of other classes than the
    images, and when these cannot be the images that its training held out.
    """
    classifier = Classifier(path, device)
    check_classes(classifier, judges.images.classes, judges.images.name)
    before, features = evaluate_features(classifier, judges.choose, progress=progress)
    recorded = classifier.info.facts.get("validation_accuracy")
    recorded = recorded if judges.held_out and isinstance(recorded, float) else None
    loss = classifier.info.facts.get("validation_loss")
    loss = loss if isinstance(loss, float) else None
    if recorded is not None and are_other_images((recorded, loss), (before.accuracy, before.loss), before.n):
        raise LabError(
            tr(
                "{file} had {recorded:.1%} on the images that its training held out and has {now:.1%} on these of "
                "{data}, so they are others: give the data that it learned from.",
                file=path.name,
                recorded=recorded,
                now=before.accuracy,
                data=retell(judges.images.name),
            ),
            "data",
        )
    temperature = fit_temperature(before.logits, before.labels)
    scaled = before.logits / (temperature or 1)
    facts: dict[str, Any] = {
        "temperature": temperature,
        "temperature_fitted_on": None if temperature is None else judges.judged_on,
    }
    kept = classifier.novelty
    if kept is None or (kept.name != TEXTURES and not kept.misses):
        wide = widths(classifier.info.network)[0]
        found = fit_features(before.logits, features, before.labels, fitted_on=judges.judged_on, wide=wide)
        facts[FACT] = found.to_facts()
    fitted = Calibration(
        temperature=temperature,
        n=before.n,
        loss=before.loss,
        scaled_loss=F.cross_entropy(scaled, before.labels).item(),
        calibration_error=before.calibration_error,
        scaled_calibration_error=expected_calibration_error(scaled.softmax(1), before.labels),
    )
    return fitted, facts
