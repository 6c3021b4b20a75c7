// Build → Network: choosing a layer, files and links; and which part of the Build tab the address opens.
(() => {
  const own = (window.googlenet ??= {});
  let writing = 0;

  // A click on a row or a block chooses its layer; it is marked at once, in the table and in the drawing.
  own.chooseLayer = (element, trigger) => element.addEventListener('click', (event) => {
    const chosen = event.target.closest('[data-layer]');
    if (!chosen) return;
    for (const one of document.querySelectorAll('#network [data-layer]')) {
      const on = one.dataset.layer === chosen.dataset.layer;
      one.classList.toggle('gl-on', on);
      one.querySelector('button')?.setAttribute('aria-pressed', on);
    }
    trigger('select', {layer: chosen.dataset.layer});
  });

  // On a phone the fields are a screen or two above the row.
  own.showLayerForm = () => {
    if (innerWidth < 768) document.getElementById('network-form')?.scrollIntoView({behavior: 'smooth'});
  };

  // The browser writes the file, so none is left on the server. `file` is JSON: {name, text}.
  own.saveFile = (file) => {
    if (!file) return;
    const {name, text} = JSON.parse(file);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], {type: 'text/plain'}));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  // Keeps the network in the address and returns its link. Browsers refuse an address that changes with every key,
  // hence the pause; the shown link does not wait.
  own.keepNetwork = (network) => {
    clearTimeout(writing);
    writing = setTimeout(() => {
      const url = new URL(location);
      if (network) url.searchParams.set('network', network); else url.searchParams.delete('network');
      history.replaceState(history.state, '', url);
    }, 400);
    const link = new URL(location);
    link.search = new URLSearchParams({view: 'network', ...(network ? {network} : {})});
    return link.toString();
  };

  own.openTraining = (network) => {
    if (!network) return;
    own.openTab('train');
    scrollTo({top: 0});
  };

  // A link to a network opens that part of the tab.
  own.openBuildView = () => {
    const asked = new URL(location).searchParams;
    const view = asked.get('view') ?? (asked.has('network') ? 'network' : 'module');
    return ['module', 'network', 'lessons'].includes(view) ? view : 'module';
  };

  own.keepBuildView = (view) => {
    const url = new URL(location);
    url.searchParams.set('view', view);
    history.replaceState(history.state, '', url);
  };
})();
