"""The page's CSS: Gradio's theme variables for everything but the branch colours, so that light and dark both work."""

from __future__ import annotations

from googlenet.ui.build.module.arithmetic import ARITHMETIC_CSS
from googlenet.ui.build.module.picture import PICTURE_CSS
from googlenet.ui.common.channels import CHANNELS_CSS
from googlenet.ui.common.figures import BRANCH_CLASSES, BRANCH_COLOURS

_BRANCHES = "\n".join(
    # Black reads on every branch colour but blue.
    f".{BRANCH_CLASSES[branch]} {{ --gl-branch: {colour}; --gl-on-branch: {'#fff' if branch == '1×1' else '#111'}; }}"
    for branch, colour in BRANCH_COLOURS.items()
)

BUILDER_CSS = (
    _BRANCHES
    + """
:root, .dark { --gl-quiet: color-mix(in srgb, var(--body-text-color) 68%, transparent); }
.gl-channels { border-left: 5px solid var(--gl-branch) !important; --slider-color: var(--gl-branch); }
.gl-html .html-container { padding: 0; }
.gl-slot:not(:has(.gl-message)):not(:has(.gl-torch-says)) { display: none; }
.gl-answer { display: flex; flex-direction: column; gap: var(--spacing-xl); color: var(--body-text-color); }
.gl-answer p { margin: 0; }
.gl-answer h4 { margin: 0 0 var(--spacing-sm); font-weight: 600; }
.gl-reading { margin: 0 0 var(--spacing-md); }
.gl-html h3 { margin: var(--spacing-md) 0 0; font-size: var(--text-lg); font-weight: 600; }
.gl-start button { align-self: flex-end; }
.gl-note { color: var(--gl-quiet); font-size: var(--text-sm); }

.gl-message { margin: 0; padding: var(--spacing-md) var(--spacing-lg); border-radius: var(--radius-md);
  border-left: 4px solid var(--error-border-color); background: var(--error-background-fill);
  color: var(--body-text-color); }
.gl-message.gl-done { border-color: var(--color-green-500, #22c55e); background: var(--background-fill-secondary); }

.gl-cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: var(--spacing-md);
  margin: 0; }
.gl-card { padding: var(--spacing-lg); border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-lg); background: var(--background-fill-secondary); }
.gl-card dt { color: var(--gl-quiet); font-size: var(--text-sm); }
.gl-card dd { margin: 2px 0; font-size: 1.2rem; font-weight: 600; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
.gl-card small { display: block; color: var(--gl-quiet); font-size: var(--text-xs); }

.gl-bar { display: block; width: 100%; height: 18px; border-radius: var(--radius-sm); overflow: hidden; }
.gl-legend { display: flex; flex-wrap: wrap; gap: var(--spacing-sm) var(--spacing-xxl); margin: var(--spacing-md) 0;
  padding: 0; list-style: none; }
.gl-legend i, .gl-group i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.45em;
  border-radius: 3px; background: var(--gl-branch); }

.gl-scroll { overflow-x: auto; border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg); }
.gl-table { width: 100%; border-collapse: collapse; font-size: var(--text-sm); font-variant-numeric: tabular-nums; }
.gl-table th, .gl-table td { padding: 6px 10px; border: 0; text-align: left; white-space: nowrap; font-weight: 400; }
.gl-table thead th { color: var(--gl-quiet); background: var(--background-fill-secondary); }
.gl-table .gl-n { text-align: right; }
.gl-table tr { border-top: 1px solid var(--border-color-primary); background: none; }
.gl-table thead tr { border-top: 0; }
.gl-table .gl-group > * { font-weight: 600; }
.gl-table tbody tr:not(.gl-group) td:first-child { padding-left: 2rem; }
.gl-table tbody th { font-weight: 600; }
.gl-table tfoot tr > * { font-weight: 600; background: var(--background-fill-secondary); }
.gl-table .gl-bar { min-width: 6rem; height: 10px; background: var(--background-fill-secondary); }
.gl-table td button { padding: 0 4px; margin-left: -4px; border: 0; border-radius: var(--radius-sm); background: none;
  color: inherit; font: inherit; cursor: pointer; text-decoration: underline dotted; text-underline-offset: 3px; }
.gl-table tr:has(button[aria-pressed=true]) { background: color-mix(in srgb, var(--gl-branch) 16%, transparent); }
.gl-layers tbody tr:not(.gl-group) td:first-child { padding-left: 10px; }
.gl-share { display: flex; align-items: center; gap: var(--spacing-md); }
.gl-share span { min-width: 3.2em; text-align: right; color: var(--gl-quiet); }

.gl-measured { margin: 0; padding: 0; list-style: none; }
.gl-measured li { display: flex; flex-wrap: wrap; gap: 0 var(--spacing-lg); padding: 4px 0; }
.gl-measured span { min-width: 6rem; color: var(--gl-quiet); }
.gl-measured em { font-style: normal; color: var(--gl-quiet); }
.gl-measured .gl-agrees em { color: #0a7d54; }
.dark .gl-measured .gl-agrees em { color: #34d399; }
.gl-measured .gl-differs em { color: var(--error-text-color); font-weight: 600; }

@media (max-width: 640px) {
  .gl-card { padding: var(--spacing-md); }
  .gl-card dd { font-size: 1.1rem; }
  /* The field may be a screen away from the answer. */
  .gl-refusal { position: fixed !important; left: 8px; right: 8px; bottom: 8px; width: auto !important;
    z-index: var(--layer-top); }
  .gl-refusal .gl-message { background: var(--background-fill-primary); box-shadow: 0 2px 12px rgb(0 0 0 / 40%); }
}
"""
    + PICTURE_CSS
    + ARITHMETIC_CSS
    + CHANNELS_CSS
)
