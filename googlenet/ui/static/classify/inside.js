// Classify → See inside: a position of a map is read without asking the server; the chosen map lies over the picture.
(() => {
  const own = (window.googlenet ??= {});

  // ---- the stage ----

  const RIM = 4; // pixels of a field's outline

  const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

  class Stage {
    constructor(element, choose) {
      this.element = element;
      this.choose = choose;
      this.place = null;  // [row, column] of the layer's own map
    }

    // A new layer is on the page, perhaps with a channel that the address asked for.
    renew() {
      this.section = this.element.querySelector('[data-inside]');
      this.data = this.section ? JSON.parse(this.section.dataset.inside) : null;
      this.place = null;
      this.picked = null;
      if (this.data) this.preview();
      const {step, channel} = this.section?.dataset ?? {};
      if (step) this.restore(step, Number(channel));
    }

    async restore(step, channel) {
      this.mark(step, channel);
      const tile = this.section.querySelector('.gl-tiles [aria-pressed=true]');
      const grid = this.section.querySelector(`.gl-all-maps[data-step="${CSS.escape(step)}"]`);
      if (tile) return this.cover(tile);
      if (!grid) return; // a map inside a branch that is not among its strongest here
      await grid.querySelector('img').decode();
      if (grid.isConnected) this.coverFromGrid(grid, channel);
    }

    // From where the pointer is on a picture or a map to a position of the layer's map.
    placeAt(box, event) {
      const [height, width] = this.data.map;
      const along = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
      return [clamp(Math.floor(down * height), 0, height - 1), clamp(Math.floor(along * width), 0, width - 1)];
    }

    move(place) {
      if (!this.data || (this.place && place[0] === this.place[0] && place[1] === this.place[1])) return;
      this.place = place;
      const [height, width] = this.data.map, told = this.read(place), hint = this.section.querySelector('.gl-hint');
      const [row, column] = place;
      hint.textContent = own.tr('Row {row}, column {column} of {height} × {width}, counted from 0', {row, column, height, width});
      if (told) hint.append(': ', Object.assign(document.createElement('b'), {textContent: told}));
      hint.append('. ', own.tr('Responses are means over channels, in one scale.'));
    }

    // Says what each branch sees at the place, and how strongly it responds.
    read([row, column]) {
      const {lanes, map, side} = this.data;
      const fields = this.section.querySelectorAll('.gl-field');
      const rows = this.section.querySelectorAll('.gl-strengths tbody tr');
      const drawn = [], strengths = [];
      lanes.forEach((lane, number) => {
        const [tops, lefts] = [lane.spans[0][row], lane.spans[1][column]];
        const mean = lane.mean, cell = mean[Math.floor(row * mean.length / map[0])];
        const strength = cell[Math.floor(column * cell.length / map[1])] / 10;
        const [, response, sees, padding] = rows[number].children;
        response.firstElementChild.style.width = `${strength}%`;
        response.dataset.share = `${Math.round(strength)}%`;
        const seen = tops[1] > tops[0] && lefts[1] > lefts[0];
        sees.textContent = seen ? `${tops[1] - tops[0]} × ${lefts[1] - lefts[0]}` : own.tr('nothing');
        padding.replaceChildren(...inPadding(lane.window, row, column));
        strengths.push(strength);
        const field = fields[number];
        field.hidden = !seen;
        if (!seen) return;
        // Branches that see the same are drawn one inside the other.
        const box = String([tops, lefts]), inset = RIM * drawn.filter((other) => other === box).length;
        drawn.push(box);
        const along = (from, to, all) => [`calc(${100 * from / all}% + ${inset}px)`,
          `calc(${100 * (to - from) / all}% - ${2 * inset}px)`];
        [field.style.top, field.style.height] = along(...tops, side[0]);
        [field.style.left, field.style.width] = along(...lefts, side[1]);
      });
      const most = strengths.indexOf(Math.max(...strengths));
      rows.forEach((line, number) => line.classList.toggle('gl-most', rows.length > 1 && number === most && strengths[most] > 0));
      const dot = this.section.querySelector('.gl-dot');
      dot.hidden = false;
      dot.style.top = `${100 * (row + 0.5) / map[0]}%`;
      dot.style.left = `${100 * (column + 0.5) / map[1]}%`;
      if (lanes.length < 2) return '';
      const {branch} = lanes[most];
      return strengths[most] > 0 ? own.tr('the {branch} branch responds most here', {branch}) : own.tr('no branch responds here');
    }

    // Before anybody points: the middle.
    preview() {
      this.read(this.data.map.map((size) => Math.floor(size / 2)));
    }

    // The chosen map, large over the picture.
    cover(tile) {
      const sheet = tile.parentElement, style = getComputedStyle(sheet);
      const image = new Image(), canvas = this.section.querySelector('canvas');
      image.onload = () => {
        const count = Number(style.getPropertyValue('--gl-count')), width = image.width / count;
        const at = Number(tile.style.getPropertyValue('--gl-at'));
        [canvas.width, canvas.height] = [width, image.height];
        canvas.getContext('2d').drawImage(image, at * width, 0, width, image.height, 0, 0, width, image.height);
      };
      image.src = style.getPropertyValue('--gl-sheet').slice(4, -1).replace(/^["']|["']$/g, '');
      this.showOverlay();
    }

    showOverlay() {
      const overlay = this.section.querySelector('.gl-overlay');
      overlay.hidden = false;
      this.section.querySelector('canvas').style.opacity = overlay.querySelector('input').value / 100;
    }

    // A map of the grid of all, as the overlay.
    coverFromGrid(grid, channel) {
      const image = grid.querySelector('img'), canvas = this.section.querySelector('canvas');
      const {columns, rows} = grid.dataset, width = image.naturalWidth / columns, height = image.naturalHeight / rows;
      const [left, top] = [(channel % columns) * width, Math.floor(channel / columns) * height];
      [canvas.width, canvas.height] = [width - 1, height - 1];
      canvas.getContext('2d').drawImage(image, left, top, width - 1, height - 1, 0, 0, width - 1, height - 1);
      this.showOverlay();
    }

    // The chosen map itself, from the card about it, and the way to that card.
    show(card, {step, channel}) {
      if (!this.picked || this.picked.step !== step || this.picked.channel !== Number(channel)) return;
      const image = card.querySelector('.gl-chosen-map'), canvas = this.section.querySelector('canvas');
      image.decode().then(() => {
        if (!image.isConnected) return;
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        canvas.getContext('2d').drawImage(image, 0, 0);
        this.showOverlay();
      });
      const told = this.section.querySelector('.gl-picked'), [row, column] = card.dataset.place.split('-').map(Number);
      const title = this.section.getAttribute('aria-label');
      if (step === title || step.startsWith(`${title}.`)) this.move([row, column]); // a map that arrives has other places
      const value = card.querySelector('.gl-value').textContent;
      told.querySelector('span').textContent =
        own.tr('Channel {channel} is {value} at row {row}, column {column}.', {channel, value, row, column});
      told.hidden = false;
    }

    mark(step, channel) {
      for (const tile of this.section.querySelectorAll('.gl-tiles [data-channel]'))
        tile.setAttribute('aria-pressed', tile.dataset.step === step && Number(tile.dataset.channel) === channel);
      this.picked = {step, channel};
    }

    pick(step, channel, place = this.place) {
      this.mark(step, channel);
      own.keep('channel', `${step}-${channel}`);
      this.choose({step, channel, place});
    }
  }

  // The window at a position, its taps beside the map hollow; and "16 of 25 (64%)" of them are.
  const inPadding = ({kernel, stride, padding, height, width}, row, column) => {
    if (kernel < 2) return ['–'];
    const within = (at, tap, size) => at * stride - padding + tap >= 0 && at * stride - padding + tap < size;
    const drawn = document.createElement('i');
    drawn.className = 'gl-taps';
    drawn.style.setProperty('--gl-kernel', kernel);
    let out = 0;
    for (let tap = 0; tap < kernel * kernel; tap += 1) {
      const there = within(row, Math.floor(tap / kernel), height) && within(column, tap % kernel, width);
      drawn.append(Object.assign(document.createElement('u'), {className: there ? '' : 'gl-beside'}));
      if (!there) out += 1;
    }
    const all = kernel * kernel;
    const share = Math.round(100 * out / all);
    return [drawn, out ? own.tr('{n} of {all} ({share}%)', {n: out, all, share}) : own.tr('{n} of {all}', {n: 0, all})];
  };

  const STEPS = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};

  let onView = null; // the stage, for the card of the channel that is chosen on it

  own.insideStage = (element, choose, watch) => {
    const stage = new Stage(element, choose);
    onView = stage;
    stage.renew();
    watch('value', () => stage.renew());
    const surface = (event) => event.target.closest('.gl-seen-here, .gl-tiles button');
    // Maps before a stride are larger: their positions are others.
    const sameMap = (target) => target.closest('.gl-arrives')?.dataset.aligned !== 'false';
    element.addEventListener('pointermove', (event) => {
      const target = surface(event);
      if (target && stage.data && sameMap(target)) stage.move(stage.placeAt(target.getBoundingClientRect(), event));
    });
    element.addEventListener('click', (event) => {
      if (!stage.data) return;
      if (event.target.closest('.gl-picked button')) {
        document.querySelector('.gl-detail')?.scrollIntoView({block: 'start', behavior: 'smooth'});
        return;
      }
      const tile = event.target.closest('.gl-tiles button'), grid = event.target.closest('.gl-all-maps');
      if (tile) {
        const pointed = event.detail > 0 && sameMap(tile);  // not by the keyboard
        if (pointed) stage.move(stage.placeAt(tile.getBoundingClientRect(), event));
        stage.cover(tile);
        stage.pick(tile.dataset.step, Number(tile.dataset.channel), pointed ? stage.place : null);
      } else if (grid) {
        const box = grid.getBoundingClientRect(), {columns, rows, channels, step} = grid.dataset;
        const column = Math.floor(columns * (event.clientX - box.left) / box.width);
        const channel = Math.floor(rows * (event.clientY - box.top) / box.height) * columns + column;
        if (column < columns && channel < channels) {
          stage.coverFromGrid(grid, channel);
          stage.pick(step, channel, null);
        }
      } else if (event.target.closest('.gl-seen-here')) {
        stage.move(stage.placeAt(event.target.closest('.gl-seen-here').getBoundingClientRect(), event));
        if (stage.picked) stage.pick(stage.picked.step, stage.picked.channel);
      }
    });
    element.addEventListener('change', (event) => {
      const {step} = event.target.dataset, channel = Number(event.target.value);
      if (!step || event.target.value === '') return;
      const grid = element.querySelector(`.gl-all-maps[data-step="${step}"]`);
      if (!Number.isInteger(channel) || channel < 0 || channel >= Number(grid.dataset.channels)) return;
      stage.coverFromGrid(grid, channel);
      stage.pick(step, channel, null);
    });
    element.addEventListener('input', (event) => {
      if (event.target.closest('.gl-overlay')) stage.showOverlay();
    });
    element.addEventListener('keydown', (event) => {
      const step = STEPS[event.key];
      if (!step || !stage.data || !surface(event)) return;
      event.preventDefault();
      const [height, width] = stage.data.map;
      const [row, column] = stage.place ?? [Math.floor(height / 2), Math.floor(width / 2)];
      stage.move(stage.place ? [clamp(row + step[0], 0, height - 1), clamp(column + step[1], 0, width - 1)]
        : [row, column]);
    });
  };

  // ---- the card of a channel ----

  own.insideDetail = (element, every, watch) => {
    watch('value', () => {
      const card = element.querySelector('.gl-detail');
      if (card && onView?.section) onView.show(card, card.dataset);
    });
    element.addEventListener('click', (event) => {
      if (!event.target.closest('[data-every]')) return;
      const {step, channel, place} = element.querySelector('.gl-detail').dataset;
      every({step, channel: Number(channel), place: place.split('-').map(Number)});
    });
  };
})();
