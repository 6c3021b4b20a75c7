// Tabs, and the address that keeps the open one.
(() => {
  const own = (window.googlenet ??= {});

  const TABS = ['build', 'train', 'evaluate', 'classify'];  // in the page's order: their titles are in its language

  own.openTab = (name) => document.querySelectorAll('#tabs > .tab-wrapper [role=tab]')[TABS.indexOf(name)]?.click();

  // Gradio selects its first tab by itself while the page comes up: that must not count.
  own.openKeptTab = () => {
    const wanted = new URL(location).searchParams.get('tab');
    window.googlenetTabs = true;
    own.openTab(wanted);
  };

  // Gradio names neither groups nor example pictures nor a text with a copy button, and makes a group of each radio
  // button alone, so that arrow keys do not move inside one. It says that something is at work in English alone.
  // Looked after when the page has been at rest for a moment.
  let groups = 0, looking = 0;

  // What Gradio says in English alone, in whatever language it speaks.
  const translate = () => {
    const names = new Map([
      ["Copy table data", own.tr('Copy table data')],
      ["Fullscreen", own.tr('Fullscreen')],
      ["Remove Image", own.tr('Remove Image')],
      ["Upload file", own.tr('Upload file')],
      ["Capture from camera", own.tr('Capture from camera')],
      ["Paste from clipboard", own.tr('Paste from clipboard')],
    ]);
    for (const [english, said] of names) {
      for (const button of document.querySelectorAll(`[aria-label="${english}"]`)) {
        button.ariaLabel = said;
        if (button.title) button.title = said;
      }
    }
    for (const slider of document.querySelectorAll('[aria-label^="range slider for "]')) {
      slider.ariaLabel = own.tr('slider for {setting}', {setting: slider.ariaLabel.replace("range slider for ", '')});
    }
  };

  const name = () => {
    looking = 0;
    for (const part of document.querySelectorAll('fieldset:not([aria-label]), textarea:not([aria-label])')) {
      if (part.labels?.length) continue;
      part.ariaLabel = part.closest('.block')?.querySelector('[data-testid=block-info]')?.textContent.trim()
        || own.tr('Text');
      part.dataset.group = `gl-group-${++groups}`;
    }
    for (const radio of document.querySelectorAll('fieldset[data-group] input[type=radio]:not([name^=gl-])')) {
      radio.name = radio.closest('fieldset').dataset.group;
    }
    for (const example of document.querySelectorAll('.gallery-item:not([aria-label])')) {
      const shown = example.querySelector('img')?.src.match(/([a-z]+)\d*\.\w+$/)?.[1] ?? own.tr('picture');
      example.ariaLabel = own.tr('Example: {picture}', {picture: shown});
    }
    if (document.documentElement.lang !== 'en') translate();
    for (const text of [...document.querySelectorAll('.progress-text')].flatMap((line) => [...line.childNodes])) {
      const waits = text.nodeValue?.match(/^queue: (\d+\/\d*) \|$/);
      if (waits) text.nodeValue = own.tr('queue: {place} |', {place: waits[1]});
      if (text.nodeValue === 'processing |') text.nodeValue = own.tr('processing |');
    }
  };
  const watched = {childList: true, subtree: true, attributeFilter: ['name']};
  new MutationObserver(() => looking ||= setTimeout(name, 200)).observe(document, watched);

  own.keepTab = (name) => {
    if (!window.googlenetTabs) return;
    const url = new URL(location);
    url.searchParams.set('tab', name);
    history.replaceState(null, '', url);
  };
})();
