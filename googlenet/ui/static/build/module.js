// One module: the address that keeps its form, Undo, the sliders' stops, and the drawing that is clicked and saved.
(() => {
  const own = (window.googlenet ??= {});

  // The page's address holds the form, ?module=reduced-192-1-28-…[-forgotten], so that a reload or a shared link opens
  // it again. The browser alone reads it: an answer from the server could overwrite what a quick hand set meanwhile.
  const write = ([...values]) => {
    const forgotten = values.pop();
    return [...values, ...(forgotten ? ['forgotten'] : [])].join('-');
  };
  const read = (state, values) => {
    const [kind, ...numbers] = (state ?? '').split('-');
    const forgotten = numbers.at(-1) === 'forgotten' && Boolean(numbers.pop());
    const known = ['reduced', 'naive'].includes(kind) && numbers.every((number) => /^[0-9]{1,5}$/.test(number));
    return known && numbers.length === values.length - 2 ? [kind, ...numbers.map(Number), forgotten] : values;
  };

  // Only what the server has drawn comes in here, so that Undo never leads to a form that it refuses.
  const past = [];
  let kept, waiting;
  const keep = (state) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {  // browsers refuse an address that changes at every step of a drag
      if (kept && kept !== state) past.push(kept);
      kept = state;
      const url = new URL(location);
      url.searchParams.set('module', state);
      history.replaceState(history.state, '', url);
    }, 400);
  };

  own.openModule = (...values) => {
    const form = read(new URL(location).searchParams.get('module'), values);
    if (write(form) === write(values)) kept = write(values);  // what the first edit can be undone to
    return form;
  };

  own.undoModule = (...values) => {
    clearTimeout(waiting);
    if (!kept || kept === write(values)) kept = past.pop() ?? kept;
    return read(kept, values);
  };

  const shown = () => document.querySelector('.gl-picture').dataset.state;

  // What was typed on the way to a refused value is nothing to go back to.
  own.markRefused = (element, watch) => watch('value', () => {
    const field = element.querySelector('[data-field]')?.dataset.field;
    document.querySelectorAll('#module [aria-invalid]').forEach((input) => input.removeAttribute('aria-invalid'));
    document.querySelector(`#build-${field} input`)?.setAttribute('aria-invalid', 'true');
    if (field) clearTimeout(waiting);
    else keep(shown());
  });

  // The slider's stops: every number to 64, then 32 in each octave, as in common/channels.py.
  const stops = Array.from({length: 64}, (_, stop) => stop + 1);
  for (let octave = 1; octave <= 32; octave *= 2)
    for (let number = 66; number <= 128; number += 2) stops.push(octave * number);
  own.channelsOfStop = (stop) => stops[stop];
  // Moves the slider, and tells a screen reader the channels instead of the stop.
  own.followChannels = (id) => (number) => {
    const range = document.querySelector(`#${id}-slider input[type=range]`);
    if (range) range.ariaValueText = own.tr('{n} channels', {n: number});
    const distance = (stop) => Math.abs(stops[stop] - number);
    return stops.reduce((nearest, _, stop) => distance(stop) < distance(nearest) ? stop : nearest, 0);
  };

  own.chooseStep = (element, trigger) => element.addEventListener('click', (event) => {
    const step = event.target.closest('[data-step]')?.dataset.step;
    if (!step) return;
    for (const button of document.querySelectorAll('#module [data-step]'))
      button.setAttribute('aria-pressed', button.dataset.step === step);
    trigger('click', {step});
  });

  own.moduleDrawing = (element, trigger, watch) => {
    own.chooseStep(element, trigger);
    watch('value', () => keep(shown()));
    element.addEventListener('click', (event) => {
      const format = event.target.closest('[data-save]')?.dataset.save;
      if (format) save([...element.querySelectorAll('svg')].find((svg) => svg.getClientRects().length), format);
    });
  };

  const save = async (svg, format) => {
    const made = standalone(svg), link = document.createElement('a');
    link.href = URL.createObjectURL(format === 'svg' ? made[0] : await painted(made));
    link.download = `${svg.closest('figure').dataset.name}.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  // The picture is saved as it is seen: every computed colour and font written into a copy, so that it opens anywhere.
  const inherited = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linejoin', 'paint-order',
    'font-family', 'font-size', 'font-weight', 'text-anchor'];
  const plain = ['opacity', 'fill-opacity', 'stop-color', 'stop-opacity'];
  const standalone = (svg) => {
    const copy = svg.cloneNode(true), [, , width, height] = svg.getAttribute('viewBox').split(' ');
    const copies = [copy, ...copy.querySelectorAll('*')];
    [svg, ...svg.querySelectorAll('*')].forEach((node, index) => {
      const style = getComputedStyle(node), above = getComputedStyle(node.parentNode);
      for (const name of inherited)
        if (node === svg || style.getPropertyValue(name) !== above.getPropertyValue(name))
          copies[index].setAttribute(name, style.getPropertyValue(name));
      for (const name of plain.filter((name) => node.tagName === 'stop' || !name.startsWith('stop')))
        if (style.getPropertyValue(name) !== '1') copies[index].setAttribute(name, style.getPropertyValue(name));
      copies[index].removeAttribute('class');
    });
    const ground = document.createElementNS(svg.namespaceURI, 'rect');
    Object.entries({width, height, fill: getComputedStyle(svg.closest('figure')).backgroundColor})
      .forEach(([name, value]) => ground.setAttribute(name, value));
    copy.querySelector('desc').after(ground);
    copy.setAttribute('width', width);
    copy.setAttribute('height', height);
    return [new Blob([new XMLSerializer().serializeToString(copy)], {type: 'image/svg+xml'}), width, height];
  };
  const painted = async ([blob, width, height]) => {
    const image = new Image(width, height), canvas = document.createElement('canvas'), sharp = 1600 / width;
    image.src = URL.createObjectURL(blob);
    await image.decode();
    [canvas.width, canvas.height] = [1600, Math.round(sharp * height)];
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    return new Promise((done) => canvas.toBlob(done, 'image/png'));
  };
})();
