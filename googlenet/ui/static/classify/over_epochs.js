// Classify, the picture over the epochs: a new picture or network makes the strip stale, and only where somebody has it
// open is a new one asked for.
(() => {
  const own = (window.googlenet ??= {});
  const STALE = '<p class="gl-note gl-epochs-said" data-stale></p>';
  own.staleEpochs = () => [STALE];
  own.epochsStrip = (element, ask, watch) => {
    const seen = () => element.closest('.gl-epochs-strip')?.getClientRects().length;
    watch('value', () => {
      if (element.querySelector('[data-stale]') && seen()) ask();
    });
  };
})();
