// Classify → See inside: the address keeps where one looks; the buttons that lead from layer to layer.
(() => {
  const own = (window.googlenet ??= {});

  // ---- the address ----

  const keep = (name, value) => {
    const url = new URL(location);
    if (value) url.searchParams.set(name, value); else url.searchParams.delete(name);
    history.replaceState(history.state, '', url);
  };
  own.keep = keep;
  own.keepClassifyView = (view) => { keep('classify', view === 'one' ? '' : view); };
  own.openClassifyView = () => {
    const view = new URL(location).searchParams.get('classify');
    return ['inside', 'many'].includes(view) ? view : 'one';
  };
  // What was chosen last, by a link or by hand: the layer, its channel, and the classes of the ledger.
  const KEPT = ['see', 'channel', 'class', 'not'];
  const UNNAMED = ["the likeliest", "(no other)"];  // the dropdowns' values, in every language
  own.askedInside = (view, picture, network) => {
    const asked = new URL(location).searchParams;
    return [view, picture, network, ...KEPT.map((name) => asked.get(name) ?? '')];
  };
  // What the network that answered does not have, unless something else has been chosen meanwhile.
  own.forgetUnfit = (unfit) => {
    const asked = new URL(location).searchParams;
    for (const [name, value] of Object.entries(unfit ?? {})) if (asked.get(name) === value) keep(name, '');
  };
  own.keepLedger = (target, against) => {
    keep('class', UNNAMED.includes(target) ? '' : target);
    keep('not', UNNAMED.includes(against) ? '' : against);
  };
  // From Build: the layer that is open there, on a picture.
  own.seeOnPicture = (named) => {
    const module = /^[3-5][a-e]\b/.exec(named ?? '');  // "3a of GoogLeNet", as One module says
    const layer = module ? `inception${module[0]}` : named ?? '';
    keep('see', layer);
    keep('channel', '');
    own.openTab('classify');
    scrollTo({top: 0});
    return 'inside';
  };

  // ---- the way: buttons, and arrow keys between them ----

  own.insidePath = (element, choose) => {
    element.addEventListener('click', (event) => {
      const stop = event.target.closest('[data-stop]')?.dataset.stop;
      if (!stop) return;
      keep('see', stop);
      keep('channel', '');
      for (const other of element.querySelectorAll('[aria-current]')) other.removeAttribute('aria-current');
      event.target.closest('[data-stop]').setAttribute('aria-current', 'step');
      choose();
    });
    element.addEventListener('keydown', (event) => {
      const step = {ArrowLeft: -1, ArrowRight: 1}[event.key], at = event.target.closest('[data-stop]');
      if (!step || !at) return;
      event.preventDefault();
      const all = [...element.querySelectorAll('[data-stop]')];
      all[all.indexOf(at) + step]?.focus();
    });
  };

  // ---- from the ledger ----

  // A module of the ledger, or a channel of it, is shown where it arises.
  own.insideLedger = (element, open) => {
    element.addEventListener('click', (event) => {
      const {see, channel} = event.target.closest('[data-see]')?.dataset ?? {};
      if (!see) return;
      keep('see', see);
      keep('channel', channel ?? '');
      document.querySelector('.gl-way')?.scrollIntoView({block: 'start'});
      open();
    });
  };
})();
