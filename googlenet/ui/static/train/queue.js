// Train, Queue: the buttons beside an entry, which keep the focus while the list is drawn anew under them, and where
// each visitor has their own, which entries those are.
(() => {
  const own = (window.googlenet ??= {});

  own.queue = (element, move, hold) => {
    let pressed = '';  // "up:ID"
    element.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (button?.dataset.hold) hold(button.dataset.hold);
      if (!button?.dataset.queued) return;
      pressed = button.dataset.queued;
      move(pressed);
    });
    // Gradio draws another entry into the button that has the focus. Whoever went on by themselves is left there.
    element.addEventListener('keydown', (event) => { if (event.key === 'Tab') pressed = ''; });
    document.addEventListener('pointerdown', () => { pressed = ''; });
    const refocus = () => {
      const at = document.activeElement;
      if (!pressed || (at && at !== document.body && !element.contains(at)) || at?.dataset.queued === pressed) return;
      const [, id] = pressed.split(':'), entry = element.querySelector(`[data-entry="${CSS.escape(id)}"]`);
      const same = element.querySelector(`[data-queued="${CSS.escape(pressed)}"]:enabled`);
      (same ?? (entry ?? element).querySelector('[data-queued]:enabled'))?.focus();
    };
    const mark = () => {
      for (const entry of element.querySelectorAll('[data-entry]')) {
        entry.toggleAttribute('data-mine', Boolean(own.visitor) && entry.dataset.owner === own.visitor);
      }
      refocus();
    };
    const seen = {childList: true, characterData: true, subtree: true, attributeFilter: ['data-entry', 'data-queued']};
    new MutationObserver(mark).observe(element, seen);
    mark();
  };
})();
