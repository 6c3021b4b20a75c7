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
    // Whoever went somewhere else meanwhile is left there.
    const refocus = () => {
      if (!pressed || (document.activeElement !== document.body && document.activeElement)) return;
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
    new MutationObserver(mark).observe(element, {childList: true, subtree: true});
    mark();
  };
})();
