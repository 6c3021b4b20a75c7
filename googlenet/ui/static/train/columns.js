// Train, All runs: the columns that this browser's user chose last, for the next visit.
(() => {
  const own = (window.googlenet ??= {});
  const KEPT = 'googlenet-columns';

  own.keepColumns = (chosen) => {
    try { localStorage.setItem(KEPT, JSON.stringify(chosen)); } catch { /* a browser that keeps nothing */ }
  };

  // Those of the columns `offered` that were kept, in the table's order; all where nothing was.
  own.keptColumns = (offered) => {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(KEPT)); } catch { /* not ours, or nothing may be read */ }
    return Array.isArray(kept) ? offered.filter((name) => kept.includes(name)) : offered;
  };
})();
