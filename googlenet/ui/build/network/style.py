"""The CSS of the whole network's half of the Build tab."""

from __future__ import annotations

NETWORK_CSS = """
#network-form { position: sticky; top: 8px; align-self: flex-start; max-height: calc(100vh - 16px); overflow-y: auto;
  scrollbar-width: thin; }
.gl-chosen { margin: 0; font-size: var(--text-lg); font-weight: 600; color: var(--body-text-color); }
.gl-chosen small { margin-left: 0.4em; color: var(--gl-quiet); font-size: var(--text-sm); font-weight: 400; }

.gl-network th, .gl-network td { vertical-align: top; }
.gl-network small { display: block; color: var(--gl-quiet); font-size: var(--text-xs); font-weight: 400; }
.gl-network tbody tr:not(.gl-group) td:first-child { padding-left: 10px; }
.gl-network tr[data-layer] { cursor: pointer; }
.gl-network tbody tr[data-layer]:hover:not(.gl-on) { background: var(--background-fill-secondary); }
.gl-network tbody tr.gl-on { background: color-mix(in srgb, var(--color-accent) 13%, transparent); }
.gl-network tr.gl-on > th { box-shadow: inset 3px 0 var(--color-accent); }
.gl-network th button { padding: 0; border: 0; background: none; color: inherit; font: inherit; text-align: left; }
.gl-network td:nth-child(5) { width: 22%; min-width: 7rem; padding-top: 11px; }
.gl-network .gl-quote { color: var(--gl-quiet); font-style: italic; }
.gl-edited { margin-left: 0.3em; color: var(--color-accent); font-weight: 600; }
.gl-pad { font-weight: 400; }
.gl-mostly { padding: 0 5px; border-radius: var(--radius-sm); background: #E69F00; color: #111; font-weight: 600; }
.gl-remarks { gap: var(--spacing-sm) !important; font-size: var(--text-sm); color: var(--gl-quiet); }
.gl-network tbody tr.gl-wrong { background: var(--error-background-fill); }
.gl-network tr.gl-wrong > th { box-shadow: inset 4px 0 var(--error-border-color); }
.gl-network .gl-why { white-space: normal; color: var(--error-text-color); }
.gl-network .gl-after { opacity: 0.55; }
.gl-strip { display: flex; height: 10px; border-radius: 3px; overflow: hidden; }
.gl-strip i, .gl-block i { display: block; background: var(--gl-branch); }
.gl-b0 { --gl-branch: color-mix(in srgb, var(--body-text-color) 45%, transparent); }

.gl-stages { display: flex; flex-wrap: wrap; gap: var(--spacing-lg) var(--spacing-md); align-items: flex-start; }
.gl-stage { flex: 0 1 auto; padding: 0 var(--spacing-sm); border-left: 1px solid var(--border-color-primary); }
.gl-stage h5 { margin: 0; color: var(--gl-quiet); font-size: var(--text-xs); font-weight: 400;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
.gl-blocks { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 4px; }
.gl-block { display: flex; flex-direction: column; align-items: stretch; }
.gl-block[data-layer] { cursor: pointer; }
.gl-block u { display: flex; flex-direction: column; border-radius: 3px; overflow: hidden; text-decoration: none; }
.gl-block i.gl-b0 { flex: 1; }
.gl-block b { height: 1.6em; font-size: 11px; font-weight: 500; line-height: 1.6; text-align: center;
  white-space: nowrap; color: var(--body-text-color); }
.gl-block s { display: block; background: var(--gl-quiet); border-radius: 0 0 3px 3px; text-decoration: none; }
.gl-block.gl-on u { outline: 2px solid var(--color-accent); outline-offset: 2px; }
.gl-block.gl-on b { font-weight: 700; color: var(--color-accent); }
.gl-block.gl-aux u { opacity: 0.5; }

@media (max-width: 768px) {
  #network-form { position: static; max-height: none; scroll-margin-top: 8px; }
  .gl-summary > * { flex: 1 1 100% !important; }
  .gl-network th:first-child { position: sticky; left: 0; background: var(--background-fill-primary);
    background-clip: padding-box; }
  .gl-network thead th:first-child, .gl-network tfoot th:first-child { background: var(--background-fill-secondary); }
}
"""
