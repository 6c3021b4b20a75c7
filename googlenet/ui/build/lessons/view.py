"""The lessons as HTML: the path through them, the exercise, and its worked solution."""

from __future__ import annotations

from collections.abc import Collection
from html import escape
from urllib.parse import urlencode

from googlenet.lessons.course import KEYS, TITLES
from googlenet.lessons.exercise import Exercise, Verdict
from googlenet.ui.build.module.arithmetic import sum_html
from googlenet.ui.build.module.form import form_of
from googlenet.ui.common import figures


def path(number: int, solved: Collection[str]) -> str:
    """HTML: all lessons in order, which are solved, and the one that is open."""
    done = sum(key in solved for key in KEYS)
    lessons = "".join(
        f"<li><button type='button' data-lesson='{index}' class='{'gl-solved' if key in solved else ''}'"
        f"{_current(index == number)} title='{escape(title)}'><i aria-hidden='true'>"
        f"{'✓' if key in solved else index + 1}</i><span>{escape(title)}</span>"
        f"{'<em class=gl-unseen>solved</em>' if key in solved else ''}</button></li>"
        for index, (key, title) in enumerate(zip(KEYS, TITLES, strict=True))
    )
    bar = figures.stacked_bar([("solved", done, "var(--color-accent)")], f"{done} of {len(KEYS)}", full=len(KEYS))
    return (
        f"<nav class='gl-path' aria-label='Lessons'><p><b>{done} of {len(KEYS)}</b> solved</p>{bar}"
        f"<ol>{lessons}</ol></nav>"
    )


def _current(here: bool) -> str:
    return " aria-current='step'" if here else ""


def card(exercise: Exercise, number: int) -> str:
    """HTML: the question with what is given, its choices as buttons, and a hint to open."""
    return (
        f"<section class='gl-exercise'><p class='gl-note'>Lesson {number + 1} of {len(KEYS)}: predict, then check</p>"
        f"<h3>{escape(exercise.title)}</h3>{_given(exercise)}<p class='gl-question'>{escape(exercise.question)}</p>"
        f"{_choices(exercise)}<details><summary>Hint</summary><p>{escape(exercise.hint)}</p></details></section>"
    )


def _given(exercise: Exercise) -> str:
    rows = "".join(
        f"<div class='{figures.BRANCH_CLASSES.get(name, 'gl-no-branch')}'><dt>{escape(name)}</dt>"
        f"<dd>{escape(what)}</dd></div>"
        for name, what in exercise.given
    )
    return f"<dl class='gl-given'>{rows}</dl>" if rows else ""


def _choices(exercise: Exercise) -> str:
    tag = "code" if exercise.code else "span"
    rows = "".join(
        f"<li><button type='button' data-answer='{number}'><i>{number}</i><{tag}>{escape(choice)}</{tag}></button></li>"
        for number, choice in enumerate(exercise.choices, start=1)
    )
    return f"<ol class='gl-choices{' gl-code' if exercise.code else ''}'>{rows}</ol>" if rows else ""


def verdict_html(verdict: Verdict, exercise: Exercise) -> str:
    """HTML: right or not and why; the worked solution under a right answer."""
    kind, sign = ("gl-right", "✓") if verdict.right else ("gl-wrong-answer", "✗")
    said = f"<p class='gl-reply {kind}' role='status'><b>{sign}</b> {escape(verdict.sentence)}</p>"
    return said + (solution(exercise) if verdict.right else "")


def solution(exercise: Exercise) -> str:
    """HTML: the sums with the numbers in them, what to keep of it, and the way into the builder."""
    sums = "".join(sum_html(found) for found in exercise.solution)
    return (
        f"<section class='gl-sums gl-solution'><h4>Worked out</h4><dl>{sums}</dl><p>{escape(exercise.moral)}</p>"
        f"{_link(exercise)}</section>"
    )


def _link(exercise: Exercise) -> str:
    """Into the builder, with what the question is about."""
    if exercise.module:
        config, side = exercise.module
        view, state = "module", "-".join(map(str, form_of(config, side, side).values))
    elif exercise.network:
        view, state = "network", exercise.network
    else:
        return ""
    asked = urlencode({"tab": "build", "view": view, view: state})
    return f"<p><a href='?{escape(asked)}'>Open this {view} in the builder</a></p>"


LESSONS_CSS = """
.gl-path p { margin: 0 0 var(--spacing-sm); color: var(--body-text-color); }
.gl-path .gl-bar { height: 6px; background: var(--border-color-primary); }
.gl-path ol, .gl-choices { margin: var(--spacing-lg) 0 0; padding: 0; list-style: none; }
.gl-path button, .gl-choices button { display: flex; align-items: baseline; gap: var(--spacing-lg); width: 100%;
  padding: 6px 8px; border: 1px solid transparent; border-radius: var(--radius-md); background: none;
  color: var(--body-text-color); font: inherit; text-align: left; cursor: pointer; }
.gl-path button:hover, .gl-choices button:hover { background: var(--background-fill-secondary); }
.gl-path button[aria-current] { border-color: var(--color-accent); font-weight: 600; }
.gl-path i, .gl-choices i { flex: none; width: 1.7em; height: 1.7em; border: 1px solid var(--border-color-primary);
  border-radius: 50%; font-size: var(--text-sm); font-style: normal; font-weight: 600; line-height: 1.6em;
  text-align: center; font-variant-numeric: tabular-nums; }
.gl-path .gl-solved i { border-color: #0a7d54; background: #0a7d54; color: #fff; }
.gl-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

.gl-exercise { color: var(--body-text-color); }
.gl-exercise h3 { margin: 0 0 var(--spacing-lg) !important; font-size: var(--text-xl) !important; }
.gl-exercise .gl-note { margin: 0; }
.gl-question { margin: var(--spacing-lg) 0 var(--spacing-md); font-size: var(--text-lg); line-height: 1.5; }
.gl-given { display: grid; grid-template-columns: max-content 1fr; gap: 4px var(--spacing-xl); width: fit-content;
  min-width: min(24rem, 100%); margin: 0; padding: var(--spacing-lg) var(--spacing-xl);
  border-radius: var(--radius-lg); background: var(--background-fill-secondary); font-variant-numeric: tabular-nums; }
.gl-given div { display: contents; }
.gl-given dt { padding-left: 9px; border-left: 5px solid var(--gl-branch, transparent); color: var(--gl-quiet); }
.gl-given dd { margin: 0; overflow-wrap: anywhere; }
.gl-exercise summary { width: fit-content; color: var(--color-accent); cursor: pointer; }
.gl-exercise details { margin-top: var(--spacing-md); }
.gl-exercise details p { margin: 4px 0 0; }
.gl-choices { margin: 0; }
.gl-choices button { border-color: var(--border-color-primary); margin-bottom: 6px; }
.gl-choices button:hover { border-color: var(--color-accent); }
.gl-choices.gl-code { border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg); padding: 6px; }
.gl-choices.gl-code button { margin: 0; padding: 2px 8px; border-color: transparent; border-radius: var(--radius-sm); }
.gl-choices code { padding: 0; background: none; color: inherit; font-family: var(--font-mono);
  font-size: var(--text-sm); white-space: pre-wrap; overflow-wrap: anywhere; }
.gl-choices.gl-code i { border: 0; color: var(--gl-quiet); font-weight: 400; }
.gl-path button:focus-visible, .gl-choices button:focus-visible { outline: 2px solid var(--color-accent); }

#lesson-next:focus-visible { outline: 3px solid var(--color-accent); outline-offset: 2px; }
#lesson-form { align-items: flex-end; max-width: 34rem; }
.gl-reply { margin: 0; padding: var(--spacing-md) var(--spacing-lg); border-left: 4px solid;
  border-radius: var(--radius-md); background: var(--background-fill-secondary); color: var(--body-text-color); }
.gl-reply.gl-right { border-color: #0a7d54; }
.gl-reply.gl-right b { color: #0a7d54; }
.dark .gl-reply.gl-right b { color: #34d399; }
.gl-reply.gl-wrong-answer { border-color: #c2570c; }
.gl-reply.gl-wrong-answer b { color: #c2570c; }
.dark .gl-reply.gl-wrong-answer b { color: #fb923c; }
.gl-solution { margin-top: var(--spacing-lg); border: 0; background: var(--background-fill-secondary); }
.gl-solution p { margin: var(--spacing-md) 0 0; }
.gl-solution a { color: var(--color-accent); text-decoration: underline; }
.gl-slot:has(.gl-reply), .gl-slot:has(.gl-solution) { display: block !important; }

@media (max-width: 640px) {
  #lesson-ways button { flex: 1 1 auto !important; min-width: 0 !important; padding-inline: 4px; }
  #build-views label { padding-inline: 8px; font-size: var(--text-sm); }
  .gl-path ol { display: flex; flex-wrap: wrap; gap: 4px; }
  .gl-path span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .gl-path button { padding: 3px; border-radius: 50%; }
  .gl-path i { width: 1.9em; height: 1.9em; line-height: 1.8em; }
  .gl-path .gl-bar { display: none; }
  .gl-choices code { font-size: var(--text-xs); }
}
"""
