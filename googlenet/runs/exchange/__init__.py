"""Between the lab and the rest of the world: event files for TensorBoard; weights and metrics from elsewhere."""

from googlenet.runs.exchange.bring import bring, name_for
from googlenet.runs.exchange.metrics import bring_metrics
from googlenet.runs.exchange.tensorboard import event_file, has_tensorboard, write_event_file
from googlenet.runs.exchange.weights import bring_weights

__all__ = [
    "bring",
    "bring_metrics",
    "bring_weights",
    "event_file",
    "has_tensorboard",
    "name_for",
    "write_event_file",
]
