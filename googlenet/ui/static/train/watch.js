// Asks the server what is new and hands it to Gradio's components, in the order of `view` in train/tab.py.
// The timer calls `watch` every second while the page is visible; the server is asked once a second beside a trainer
// and every three otherwise, or from another tab. `watchNow` asks at once, and for what was just changed. A page that is
// hidden asks nothing. Curves and alerts are charts.js's.
(() => {
  const own = (window.googlenet ??= {});
  const update = (properties) => ({__type__: 'update', ...properties});
  let seen = 0, of = '', due = 0, latest = 0, asking = false, active = false, began = false;

  const ask = async (run, others, now) => {
    if (document.hidden || (!now && (asking || Date.now() < due))) return;
    const turn = ++latest;
    const address = new URL(location).searchParams;
    run ||= address.get('run') ?? '';
    if (!began) others = [...(others ?? []), ...address.getAll('compare')];  // a page opens as its address says
    const query = new URLSearchParams([['run', run], ['language', document.documentElement.lang], ...(others ?? []).map((other) => ['compare', other]),
      ...own.comparing.asked()]);
    if (of !== query.toString()) [of, seen] = [query.toString(), 0];
    query.set('seen', seen);
    if (now) query.set('now', '1');
    asking = true;
    let news;
    try {
      const answer = await fetch(`watch?${query}`, {signal: AbortSignal.timeout(30000)});
      if (!answer.ok) throw new Error(answer.statusText);
      own.visitor = answer.headers.get('x-visitor');
      news = await answer.json();
    } catch {
      due = Date.now() + 3000;  // the server is away: Gradio says so
      return;
    } finally {
      if (turn === latest) asking = false;
    }
    if (turn !== latest) return;  // something else was chosen meanwhile
    began = true;
    seen = news.at;
    active = news.active ?? active;
    const open = new URL(location);
    const watching = open.searchParams.get('tab') === 'train';
    due = Date.now() + (active && watching ? 900 : 2900);
    const [shown, names, compared] = news.runs ?? [];
    if (watching) own.comparing.keep(open, shown ?? run, compared ?? others ?? []);
    own.showNews(news);
    entitle(news);
    const choices = (list) => list.map((name) => [name, name]);
    return [
      shown,
      news.runs && update({choices: choices(names), value: shown || null}),
      news.runs && update({choices: choices(names.filter((name) => name !== shown)), value: compared}),
      news.now, news.status, news.log, news.files,
      news.stop === undefined ? undefined : update({interactive: news.stop}),
      news.resume === undefined ? undefined : update({interactive: news.resume}),
      news.queue,
      news.start === undefined ? undefined : update({value: news.start}),
    ];
  };

  // The most urgent alert of the run on view stands in the tab's title; that it finished, where this page saw it run.
  const NAME = 'GoogLeNet Lab', ran = new Set();
  let run = '', alert = {};
  const entitle = (news) => {
    run = news.runs?.[0] ?? run;
    alert = news.alerts ?? alert;
    if (news.stop) ran.add(run);
    const tell = alert.word && (alert.kind !== 'finished' || ran.has(run));
    const title = tell ? `${alert.kind === 'finished' ? '✓' : '⚠'} ${alert.word}: ${run} · ${NAME}` : NAME;
    if (document.title !== title) document.title = title;
  };
  document.addEventListener('visibilitychange', () => { due = 0; });
  own.watchSoon = () => { due = 0; };
  own.watch = (run, others) => ask(run, others, false);
  own.watchNow = (run, others) => ask(run, others, true);
})();
