// Train: after Start the page shows the run, after "Start again" the form, wherever one was on the page.
(() => {
  const own = (window.googlenet ??= {});
  const intoView = (element) => {
    const {top, bottom} = element?.getBoundingClientRect() ?? {};
    if (element && (top < 0 || Math.min(bottom, top + 200) > innerHeight)) element.scrollIntoView({block: 'start'});
  };

  // `refused` is the HTML of what Start refused; "" when a run began.
  own.showRun = (refused) => { if (!refused) intoView(document.getElementById('shown-run')); };
  own.showForm = (said) => { if (said.includes('gl-done')) intoView(document.getElementById('training-form')); };
})();
