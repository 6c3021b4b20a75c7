// Tabs, and the address that keeps the open one.
(() => {
  const own = (window.googlenet ??= {});

  own.openTab = (name) => [...document.querySelectorAll('[role=tab]')]
    .find((tab) => tab.textContent.trim().toLowerCase() === name)?.click();

  // Gradio selects its first tab by itself while the page comes up: that must not count.
  own.openKeptTab = () => {
    const wanted = new URL(location).searchParams.get('tab');
    window.googlenetTabs = true;
    own.openTab(wanted);
  };

  own.keepTab = (name) => {
    if (!window.googlenetTabs) return;
    const url = new URL(location);
    url.searchParams.set('tab', name);
    history.replaceState(null, '', url);
  };
})();
