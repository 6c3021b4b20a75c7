// The curves of Train: one axis, one zoom and one crosshair for all charts. What a person chose stays in this browser.
(() => {
  const own = (window.googlenet ??= {});
  const KEY = 'googlenet.charts', FOLDER = 'vendor/uplot';
  let root = null, panels = [], library = null, at = null, drawing = 0;
  let run = '', lines = [], plan = {};

  const remembered = () => {
    try {
      return JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
      return {};
    }
  };
  const kept = {over: 'epochs', toEnd: true, published: null, panels: {}, zoom: null, ...remembered()};
  const keep = (changes) => {
    Object.assign(kept, changes);
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // a browser that keeps nothing: the choices last as long as the page
    }
    draw();
  };

  const load = () => library ??= new Promise((resolve) => {
    const style = Object.assign(document.createElement('link'), {rel: 'stylesheet', href: `${FOLDER}/uPlot.min.css`});
    const script = Object.assign(document.createElement('script'), {src: `${FOLDER}/uPlot.iife.min.js`, onload: resolve});
    document.head.append(style, script);
  });
  if (new URL(location).searchParams.get('tab') === 'train') load();  // beside Gradio's own scripts

  const chosenAxis = (name) => own.curves.axisOf(kept.over, name, plan.steps?.[name]);
  const over = () => chosenAxis(run) ? kept.over : 'epochs';
  const axis = (name = run) => chosenAxis(name) ?? own.curves.axisOf('epochs');
  const zoomed = () => kept.zoom?.run === run && kept.zoom.range.every(Number.isFinite);

  const lastEpoch = () => Math.max(0, ...lines.map(({id}) => own.curves.line(id).x.at(-1) ?? 0));
  const range = () => {
    const end = kept.toEnd ? Math.max(plan.epochs - 0.5 || 0, lastEpoch()) : Math.ceil(lastEpoch() - 0.5) + 0.5;
    const [low, high] = zoomed() ? kept.zoom.range : [-0.5, end];
    return [axis().to(low), axis().to(high)];
  };
  const zoom = (ends) => {
    if (!ends) return keep({zoom: null});
    const [low, high] = ends.map(axis().from);
    if (high > low) keep({zoom: {run, range: [low, high]}});
  };

  const words = (x, plain = false) => {
    const epoch = Math.max(0, Math.ceil(axis().from(x) - 0.5)).toLocaleString('en');
    if (plain || over() === 'epochs') return own.tr('epoch {epoch}', {epoch});
    return over() === 'steps' ? own.tr('step {step}, epoch {epoch}', {step: Math.round(x).toLocaleString('en'), epoch})
      : own.tr('{time}, epoch {epoch}', {time: own.curves.clockWords(x), epoch});
  };

  const read = (x, except = null) => {
    at = x;
    for (const panel of panels) panel.readAt(x, panel !== except);
    own.readSamples(x === null ? null : Math.max(0, Math.ceil(axis().from(x) - 0.5)));
  };

  const shared = {
    over, range, zoom, zoomed, words, read,
    at: () => at,
    halfEpoch: () => axis().to(0.5) - axis().to(0),
    moved: (panel, x) => x === null && panels.some(({cross}) => cross === document.activeElement) ? null : read(x, panel),
    choiceOf: (name) => kept.panels[name] ?? {},
    choose: (name, choice) => keep({panels: {...kept.panels, [name]: choice}}),
    zoomBy(factor, x) {
      const [low, high] = range(), whole = (high - low) * factor;
      zoom([x - (x - low) * factor, x - (x - low) * factor + whole]);
    },
  };

  const onAxis = (line) => {
    const {x, y} = own.curves.line(line.id), edge = (name) => own.curves.line(`${line.id} ${name}`).y;
    const band = line.band ? {low: edge('low'), high: edge('high'), n: edge('n')} : {};
    return {...line, x: x.map(axis(line.run).to), y, ...band};
  };
  const showsPublished = () => kept.published ?? plan.recipe === 'note';
  const published = (place) => {
    const points = JSON.parse(root.dataset.published);
    return {id: 'published', name: own.tr('class note (quoted)'), colour: '--gl-published', kind: 'points',
      x: points.map(([epoch]) => axis().to(epoch)), y: points.map((point) => point[place])};
  };

  const drawNow = () => {
    drawing = 0;
    if (!root?.isConnected || !window.uPlot) return;
    const there = lines.filter(({id}) => own.curves.line(id).x.length);
    const find = (selector) => root.querySelector(selector);
    find('.gl-no-curves').hidden = there.length > 0;
    find('.gl-curve-tools').hidden = !there.length;
    find('.gl-over').value = kept.over;
    find('.gl-to-end').checked = kept.toEnd;
    find('.gl-published').hidden = !(plan.recipe === 'note' || plan.epochs >= 200);
    find('.gl-published input').checked = showsPublished();
    find('.gl-whole').disabled = !zoomed();
    for (const panel of panels) {
      const drawn = there.filter((line) => line.panel === panel.name).map(onAxis);
      const place = {loss: 1, accuracy: 2}[panel.name];
      if (drawn.length && place && showsPublished() && !find('.gl-published').hidden) drawn.push(published(place));
      const held = drawn.find(({id}) => id === `${run}/Validation accuracy`);
      const best = held ? held.y.indexOf(held.y.reduce((a, b) => Math.max(a, b))) : -1;
      panel.draw(drawn, best < 0 ? null : [held.x[best], held.y[best]]);
    }
    read(at);
  };
  const draw = () => { drawing ||= requestAnimationFrame(drawNow); };

  own.charts = (element) => {
    root = element.querySelector('.gl-watch');
    panels = [...root.querySelectorAll('[data-panel]')].map((figure) => new own.Panel(figure, shared));
    root.querySelector('.gl-over').addEventListener('change', ({target}) => {
      at = null;
      keep({over: target.value});
    });
    root.querySelector('.gl-to-end').addEventListener('change', ({target}) => keep({toEnd: target.checked}));
    root.querySelector('.gl-published input').addEventListener('change', ({target}) => keep({published: target.checked}));
    root.querySelector('.gl-whole').addEventListener('click', () => zoom(null));
    new ResizeObserver(draw).observe(root);
    new MutationObserver(draw).observe(document.body, {attributeFilter: ['class']});
    showAlerts();
    own.samplesIn(element);
    own.comparing.within(root);
    load().then(draw);
  };

  let told = {html: ''}, comparison = '';
  const showAlerts = () => {
    for (const [place, html] of [['.gl-alerts', told.html], ['.gl-comparison', comparison]]) {
      const shown = root?.querySelector(place);
      if (shown && shown.filledWith !== html) [shown.innerHTML, shown.filledWith] = [html, html];
    }
  };

  // What the server has new of the curves and alerts of the run on view, and of those beside it.
  own.showNews = ({points, alerts, ...news}) => {
    if (points) own.curves.take(points);
    if (news.runs) run = news.runs[0];
    lines = news.lines ?? lines;
    plan = news.plan ?? plan;
    told = alerts ?? told;
    comparison = news.comparison ?? comparison;
    if (alerts || news.comparison !== undefined) showAlerts();
    if (news.runs) own.comparing.news(news.runs);
    own.showSamples(news);
    if (points || news.lines || news.plan || news.runs) draw();
  };
})();
