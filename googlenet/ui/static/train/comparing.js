// Train, runs beside each other: which curves of theirs are drawn and whether seeds are drawn as one. The address says
// so, with the runs themselves, so that a reload or a link shows the same.
(() => {
  const own = (window.googlenet ??= {});
  const NAMES = ['curves', 'seeds'];
  let root = null, compared = [];

  const address = () => new URL(location);
  const usual = () => root?.dataset.usual.split(' ') ?? [];

  // For the server: what the address says of curves and seeds.
  const asked = () => [...address().searchParams].filter(([name]) => NAMES.includes(name));

  // Write the run on view and those beside it into the address `open`; curves and seeds of nothing go.
  const keep = (open, run, others) => {
    const before = open.href, query = open.searchParams;
    if (run) query.set('run', run); else query.delete('run');
    query.delete('compare');
    for (const other of others) query.append('compare', other);
    if (!others.length) for (const name of NAMES) query.delete(name);
    if (open.href !== before) history.replaceState(null, '', open);
  };

  const choose = () => {
    const open = address(), boxes = [...root.querySelectorAll('[data-curve]')];
    const chosen = boxes.filter(({checked}) => checked).map(({dataset}) => dataset.curve);
    for (const name of NAMES) open.searchParams.delete(name);
    if (chosen.join(' ') !== usual().join(' ')) for (const name of chosen) open.searchParams.append('curves', name);
    if (root.querySelector('.gl-seeds').checked) open.searchParams.set('seeds', '1');
    history.replaceState(null, '', open);
    own.watchSoon();
  };

  const show = () => {
    if (!root) return;
    root.hidden = !compared.length;
    const query = address().searchParams, chosen = query.getAll('curves');
    for (const box of root.querySelectorAll('[data-curve]')) {
      box.checked = (chosen.length ? chosen : usual()).includes(box.dataset.curve);
    }
    root.querySelector('.gl-seeds').checked = query.get('seeds') === '1';
  };

  const within = (element) => {
    root = element.querySelector('.gl-comparing');
    root.addEventListener('change', choose);
    show();
  };

  const news = (runs) => {
    compared = runs[2];
    show();
  };

  // For the buttons of All runs: `more` (a name, or a JSON list of names) beside the run `shown`, and `others`.
  const add = (more, shown, others) => {
    const names = more?.startsWith('[') ? JSON.parse(more) : [more];
    return [[...new Set([...(others ?? []), ...names])].filter((name) => name && name !== shown)];  // of one component
  };

  own.comparing = {asked, keep, within, news, add};
})();
