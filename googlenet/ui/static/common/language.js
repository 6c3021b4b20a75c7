// The language: texts of these scripts in it, and the switch that changes it. The server reads the same cookie.
(() => {
  const own = (window.googlenet ??= {});

  // The text in the reader's language, {fields} filled: tr('{n} runs', {n: 3}). Not before the page's own scripts run.
  own.tr = (text, values = {}) => (window.gradio_config?.texts?.[text] ?? text)
    .replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  const speak = (language) => {
    document.cookie = `googlenet-language=${language}; path=/; max-age=31536000; SameSite=Lax`;
  };

  // A link may say it: ?lang=ko. The address then forgets it, so that the switch has the last word.
  const url = new URL(location), asked = url.searchParams.get('lang');
  if (/^(en|ko)$/.test(asked ?? '')) {
    speak(asked);
    url.searchParams.delete('lang');
    history.replaceState(null, '', url);
    if (document.documentElement.lang !== asked) location.reload();
  }

  document.addEventListener('click', (event) => {
    const language = event.target.closest?.('[data-speak]')?.dataset.speak;
    if (!language) return;
    speak(language);
    location.reload();
  });
})();
