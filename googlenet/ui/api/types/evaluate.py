"""What Evaluate's endpoints return."""

from __future__ import annotations

from typing import Annotated

from typing_extensions import TypedDict

from googlenet.ui.api.types.common import Interval, Share, says

Loss = Annotated[float, says("mean cross entropy, in nats")]
CalibrationError = Annotated[float, says("expected calibration error, from 0 to 1")]


class JudgedCheckpoint(TypedDict):
    """A checkpoint on the images that choose."""

    names: Annotated[list[str], says("all files with these weights, such as my-run/epoch-0009 and my-run/best")]
    digest: Annotated[str, says("of the weights")]
    epoch: Annotated[int | None, says("the epoch after which it was kept, from 0")]
    train_accuracy: Annotated[float | None, says("as the trainer measured it, on augmented images, from 0 to 1")]
    validation_accuracy: Share
    interval: Interval
    validation_loss: Loss
    loss_error: Annotated[float, says("standard error of the loss")]
    calibration_error: CalibrationError
    recorded_accuracy: Annotated[float | None, says("what the trainer wrote down for validation, from 0 to 1")]


class RunJudged(TypedDict):
    """All checkpoints of a run, by epoch, and the one proposed."""

    run: str
    data: Annotated[str, says("whose images they were judged on")]
    n: Annotated[int, says("images that they were judged on")]
    held_out: Annotated[bool, says("whether training held these images out")]
    judged_on: Annotated[str, says("these images in words")]
    reported_on: Annotated[str, says("the images left for a final report, in words")]
    rows: list[JudgedCheckpoint]
    refused: Annotated[dict[str, str], says("by file: why it could not be judged")]
    proposed: Annotated[str, says("the most accurate one, of equals that with the lowest loss")]
    lead: Annotated[str, says("how far it is before the last one; empty when there is nothing to say")]
    overfits_from: Annotated[int | None, says("the epoch from which on it overfits; null when it does not")]
    overfitting: Annotated[str, says("that in a sentence")]
    warning: Annotated[str, says("a sentence when these seem not to be the images held out; else empty")]


class Promoted(TypedDict):
    """What was fitted for a run's new best checkpoint, on its held-out images."""

    run: str
    checkpoint: str
    temperature: Annotated[float | None, says("divides the logits; null where none is best")]
    n: Annotated[int, says("images that it was fitted on")]
    loss: Loss
    scaled_loss: Annotated[float, says("loss after the temperature, in nats")]
    calibration_error: CalibrationError
    scaled_calibration_error: Annotated[float, says("calibration error after the temperature, from 0 to 1")]
    sentence: Annotated[str, says("what was done")]


class Evaluated(TypedDict):
    """What a checkpoint answered on the images that judge it."""

    checkpoint: str
    judged_on: Annotated[str, says("which images, in words")]
    n: Annotated[int, says("how many they are")]
    accuracy: Share
    interval: Interval
    loss: Loss
    calibration_error: CalibrationError
    temperature: Annotated[float, says("the checkpoint's; 1 when none was fitted")]
    scaled_loss: Annotated[float, says("loss after the temperature, in nats")]
    scaled_calibration_error: Annotated[float, says("calibration error after the temperature, from 0 to 1")]
    per_class: Annotated[dict[str, float | None], says("accuracy by class; null for a class without images")]
    intervals: Annotated[dict[str, tuple[float, float] | None], says("the 95% interval of each of these")]
    confusion: Annotated[list[list[int]], says("images: a row for each true class, a column for each answer")]
    seconds: Annotated[float, says("of the network, without reading the images")]
    flip: Annotated[bool, says("whether each image was also asked about as its mirror image")]
    precision: Annotated[str, says("of the arithmetic: float32 or bfloat16")]
    images_per_second: float
