"""What a trainer says: lines in train.log, and in a terminal the same lines above a progress bar."""

from __future__ import annotations

import time
from pathlib import Path

from tqdm import tqdm


class Reporter:
    """Lines go to `log`; with `console` they are printed too, with a tqdm bar for the epoch under way."""

    def __init__(self, log: Path, *, console: bool = False) -> None:
        self.log, self.console = log, console
        self.bar: tqdm | None = None

    def line(self, text: str) -> None:
        """One line, with the time of day in front of it in the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        if self.console:
            tqdm.write(text)

    def step(self, epoch: int, step: int, steps: int) -> None:
        """Move the bar to `step` of `steps`."""
        if not self.console:
            return
        if self.bar is None:
            self.bar = tqdm(total=steps, desc=f"epoch {epoch}", unit="step", leave=False)
        self.bar.update(step - self.bar.n)

    def epoch(self, row: dict[str, float | None], epochs: int) -> None:
        """The line of a finished epoch."""
        self.close()
        parts = [
            f"epoch {row['Epoch']} of 0–{epochs - 1}",
            f"loss {row['Loss']:.4f}",
            f"accuracy {row['Accuracy']:.4f}",
        ]
        if row.get("Validation accuracy") is not None:
            parts += [f"validation loss {row['Validation loss']:.4f}, accuracy {row['Validation accuracy']:.4f}"]
        self.line(" · ".join([*parts, f"{row['Seconds']:.1f} s", f"{row['Images/s']:,.0f} images/s"]))

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
