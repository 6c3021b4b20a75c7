// Train: a few images held out, always the same ones, and how the answer to each changes over the epochs. The crosshair
// of the curves reads them too.
(() => {
  const own = (window.googlenet ??= {});
  const RIGHT = '#0072B2', WRONG = '#E69F00', HEIGHT = 10;
  let root = null, samples = null, answers = [], at = null;

  const rowAt = (epoch) => {
    if (epoch === null) return answers.length - 1;
    return own.curves.nearest(answers.map((row) => row.epoch), epoch);
  };

  const paint = (canvas, place) => {
    const context = canvas.getContext('2d'), width = canvas.width = 2 * canvas.clientWidth || 200;
    canvas.height = 2 * HEIGHT;
    const cell = width / answers.length, now = rowAt(at);
    answers.forEach(({answers: row}, number) => {
      const [label, share] = row[place] ?? [-1, 0];
      context.globalAlpha = 0.2 + 0.8 * share;
      context.fillStyle = label === samples.labels[place] ? RIGHT : WRONG;
      context.fillRect(Math.floor(number * cell), 0, Math.ceil(cell), 2 * HEIGHT);
    });
    if (at === null) return;
    context.globalAlpha = 1;
    context.fillStyle = getComputedStyle(canvas).color;
    context.fillRect(Math.floor((now + 0.5) * cell) - 1, 0, 3, 2 * HEIGHT);
  };

  const write = () => {
    const shown = samples !== null && answers.length > 0;
    root.hidden = !shown;
    if (!shown) return;
    const {epoch, answers: row} = answers[rowAt(at)];
    root.querySelector('.gl-at').textContent = own.tr('after epoch {epoch}', {epoch: epoch.toLocaleString('en')});
    root.querySelectorAll('li').forEach((item, place) => {
      const [label, share] = row[place] ?? [-1, 0], truth = samples.labels[place];
      const right = answers.filter((known) => known.answers[place]?.[0] === truth).length;
      const answer = item.querySelector('b');
      answer.textContent = `${label === truth ? '✓' : '✗'} ${samples.classes[label] ?? '–'} ${Math.round(100 * share)}%`;
      answer.className = label === truth ? '' : 'gl-wrong';
      item.querySelector('canvas').ariaLabel =
        own.tr('right after {right} of {epochs} epochs shown', {right, epochs: answers.length});
      paint(item.querySelector('canvas'), place);
    });
  };

  const build = () => root.querySelector('ul').replaceChildren(...(samples?.images ?? []).map((source, place) => {
    const item = document.createElement('li'), canvas = document.createElement('canvas');
    const truth = samples.classes[samples.labels[place]];
    const image = Object.assign(document.createElement('img'), {src: source, alt: own.tr('a {thing}', {thing: truth})});
    const name = Object.assign(document.createElement('span'), {textContent: truth});
    canvas.role = 'img';
    item.append(image, name, document.createElement('b'), canvas);
    return item;
  }));

  own.samplesIn = (element) => {
    root = element.querySelector('.gl-samples');
    build();
    write();
    new ResizeObserver(write).observe(root);
  };

  own.showSamples = (news) => {
    const other = news.samples !== undefined;
    if (other) samples = news.samples;
    answers = news.answers ?? answers;
    if (!root || !(other || news.answers)) return;
    if (other) build();
    write();
  };

  // The crosshair is at `epoch`; null without one.
  own.readSamples = (epoch) => {
    if (at === epoch) return;
    at = epoch;
    if (root && !root.hidden) write();
  };
})();
