// A random cookie by which a page that tells visitors apart (ui/events/rights.py) knows this browser again.
(() => {
  if (/(^|; )googlenet-visitor=[0-9a-f]{32}(;|$)/.test(document.cookie)) return;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const word = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  document.cookie = `googlenet-visitor=${word}; path=/; max-age=31536000; SameSite=Lax`;
})();
