// The Evaluate tab: the address keeps the run; rows, cells and images are chosen with the mouse or the keyboard.
(() => {
  const own = (window.googlenet ??= {});

  own.keepEvaluated = (source) => {
    if (!source) return;
    const url = new URL(location);
    url.searchParams.set('evaluate', source);
    history.replaceState(null, '', url);
  };

  // What was pressed is a "checkpoint", a "cell" or an "image": `kind`, which its element has as data-KIND. The mark of
  // the chosen one moves in the browser, so that the button keeps the focus.
  const MARKS = {checkpoint: 'aria-current', cell: 'aria-pressed'};
  own.onPressed = (element, kind, choose) => {
    const mark = MARKS[kind];
    element.addEventListener('click', (event) => {
      const chosen = event.target.closest(`[data-${kind}]`);
      if (!chosen) return;
      if (mark) {
        element.querySelectorAll(`[${mark}]`).forEach((other) => other.removeAttribute(mark));
        chosen.setAttribute(mark, 'true');
      }
      const named = chosen.dataset[kind];
      choose({[kind]: kind === 'image' ? Number(named) : named});
    });
    if (kind === 'cell') element.addEventListener('keydown', (event) => walk(element, event));
  };

  // One cell is in the tab order; arrow keys go to the next filled one in their direction.
  const STEPS = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};
  const walk = (element, event) => {
    const from = event.target.closest('table [data-cell]'), step = STEPS[event.key];
    if (!from || !step) return;
    event.preventDefault();
    const side = from.closest('table').rows.length;
    let [row, column] = from.dataset.cell.split('-').map(Number), to = null;
    while (!to && row >= 0 && column >= 0 && row < side && column < side) {
      row += step[0];
      column += step[1];
      to = element.querySelector(`[data-cell="${row}-${column}"]`);
    }
    if (!to) return;
    from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  };
})();
