// One chart of Train, drawn by uPlot on a canvas: its lines, its controls, the crosshair that reads them, and in words
// what a canvas cannot say. What all charts share (axis, zoom, crosshair) is charts.js's.
(() => {
  const own = (window.googlenet ??= {});
  const DOTS = 30;  // points that are told apart by dots
  const SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 36000, 86400, 172800, 432000];
  const HEIGHT = {tall: 240, small: 150};

  const colourOf = (element, name) => {
    const probe = element.appendChild(document.createElement('i'));
    probe.style.color = `var(${name})`;
    const {color} = getComputedStyle(probe);
    probe.remove();
    return color;
  };

  own.Panel = class {
    constructor(figure, shared) {
      const find = (selector) => figure.querySelector(selector);
      Object.assign(this, {figure, shared, name: figure.dataset.panel, title: figure.dataset.title,
        unit: figure.dataset.unit, canvas: find('.gl-canvas'), cross: find('.gl-cross'), list: find('ul'),
        at: find('.gl-at'), log: find('.gl-log'), smoothing: find('.gl-smooth'), plot: null, lines: [], looks: ''});
      const {log = false, smooth = '0'} = shared.choiceOf(this.name);
      this.log.ariaPressed = `${log}`;
      this.smoothing.value = smooth;
      this.log.addEventListener('click', () => {
        this.log.ariaPressed = `${this.log.ariaPressed !== 'true'}`;
        this.choose();
      });
      this.smoothing.addEventListener('change', () => this.choose());
      this.cross.addEventListener('keydown', (event) => this.key(event));
      this.cross.addEventListener('blur', () => shared.read(null));
    }

    choose() {
      this.shared.choose(this.name, {log: this.isLog(), smooth: this.smoothing.value});
    }

    isLog() {
      return this.log.ariaPressed === 'true';
    }

    // Draw `lines`: {id, name, colour, kind, x, y}, x along the shared axis; `star` is a point to mark.
    draw(lines, star) {
      this.figure.hidden = !lines.length;
      const width = this.canvas.clientWidth;
      if (!lines.length || !width) return;
      this.lines = lines;
      this.star = star;
      const weight = Number(this.smoothing.value);
      this.traces = lines.flatMap((line) => {
        const {y, kind} = line;
        const plain = {...line, y, alpha: kind === 'faint' ? 0.55 : 1, width: kind === 'faint' ? 1.2 : 2.2};
        const smooth = (values) => weight && kind !== 'points' ? own.curves.smooth(values, weight) : values;
        if (line.band) {
          const edge = {...plain, width: 0, edge: true};
          return [{...plain, y: smooth(y)}, {...edge, y: smooth(line.high)}, {...edge, y: smooth(line.low), below: true}];
        }
        if (!weight || kind === 'points') return [plain];
        return [{...plain, alpha: 0.25, width: 1.2}, {...plain, y: smooth(y)}];
      });
      const log = this.isLog();
      const tables = this.traces.map(({x, y}) => [x, log ? y.map((value) => value > 0 ? value : null) : y]);
      const looks = JSON.stringify([log, this.shared.over(), width, document.body.className,
        this.traces.map(({id, colour, kind, alpha, edge, x}) => [id, colour, kind, alpha, edge, x.length <= DOTS])]);
      const data = tables.length > 1 ? uPlot.join(tables) : tables[0];
      if (this.plot && this.looks === looks) {
        this.plot.setData(data);
      } else {
        this.plot?.destroy();
        this.plot = new uPlot(this.options(width, log), data, this.canvas);
        this.listen();
        this.looks = looks;
        this.legend();
      }
      this.describe();
    }

    options(width, log) {
      const colour = (name) => colourOf(this.figure, name);
      const [ink, grid] = [colour('--gl-quiet'), colour('--border-color-primary')];
      const font = `12px ${getComputedStyle(this.figure).fontFamily}`;
      const axis = {stroke: ink, font, grid: {stroke: grid, width: 1}, ticks: {stroke: grid, width: 1, size: 4}};
      const time = this.shared.over() === 'time';
      const words = (x) => time ? own.curves.clockWords(x, true) : x.toLocaleString('en');
      return {
        width,
        height: HEIGHT[this.figure.classList.contains('gl-small') ? 'small' : 'tall'],
        padding: [8, 12, 0, 0],
        legend: {show: false},
        cursor: {
          y: false,
          drag: {x: true, y: false, setScale: false, dist: 6},
          bind: {dblclick: () => () => this.shared.zoom(null)},
          points: {size: 7},
        },
        scales: {
          x: {time: false, range: () => this.shared.range()},
          y: {distr: log ? 3 : 1, range: (_, low, high) => this.heights(low, high, log)},
        },
        axes: [
          {...axis, size: 30, space: time ? 80 : 56, values: (_, ticks) => ticks.map(words),
            ...(time ? {incrs: SECONDS} : {incrs: [1, 2, 5].flatMap((n) => [n, 10 * n, 100 * n, 1e3 * n, 1e4 * n, 1e5 * n,
              1e6 * n, 1e7 * n]).sort((a, b) => a - b)})},
          {...axis, size: 58, space: 32,
            values: (_, ticks) => ticks.map((y) => y === null ? null : own.curves.tick(y, this.unit))},
        ],
        series: [{}, ...this.traces.map((trace) => ({
          label: trace.name,
          stroke: colour(trace.colour),
          width: trace.width,
          alpha: trace.alpha,
          dash: {dashed: [6, 4], dotted: [2, 3]}[trace.kind],
          ...(trace.kind === 'points' ? {paths: () => null} : {}),
          points: {size: trace.kind === 'points' ? 9 : 5,
            show: trace.kind === 'points' || (!trace.edge
              && (trace.x.length === 1 || (trace.x.length <= DOTS && trace.kind !== 'faint')))},
        }))],
        bands: this.traces.flatMap((trace, number) => trace.below  // between it and the edge before it
          ? [{series: [number, number + 1], fill: `color-mix(in srgb, ${colour(trace.colour)} 20%, transparent)`}] : []),
        hooks: {
          setCursor: [(plot) => this.shared.moved(this, plot.cursor.left < 0 ? null : plot.posToVal(plot.cursor.left, 'x'))],
          setSelect: [(plot) => this.selected(plot)],
          draw: [(plot) => this.mark(plot)],
        },
      };
    }

    // The y axis: from 0, and for shares to 1; what is zoomed into fills it.
    heights(low, high, log) {
      if (low === null || low === undefined) return log ? [0.1, 1] : [0, 1];
      if (log) return uPlot.rangeLog(low, high, 10, false);
      if (this.shared.zoomed()) return uPlot.rangeNum(low, high, 0.1, true);
      return [Math.min(0, low), this.unit === '%' ? 1 : high > 0 ? 1.04 * high : 1];
    }

    selected(plot) {
      const {left, width} = plot.select;
      if (width < 4) return;
      const ends = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
      plot.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
      this.shared.zoom(ends);
    }

    mark(plot) {
      if (!this.star) return;
      const [x, y] = this.star, [low, high] = this.shared.range();
      if (x < low || x > high) return;
      const {ctx} = plot, ratio = devicePixelRatio;
      ctx.save();
      ctx.font = `${18 * ratio}px sans-serif`;
      ctx.textAlign = 'center';
      ctx.textBaseline = 'middle';
      ctx.fillStyle = colourOf(this.figure, '--gl-validation');
      ctx.fillText('★', plot.valToPos(x, 'x', true), plot.valToPos(y, 'y', true));
      ctx.restore();
    }

    // A finger reads where it lies; it scrolls the page upwards and downwards only.
    listen() {
      const {over} = this.plot;
      const touch = ({touches: [{clientX}]}) => {
        const {left, width} = over.getBoundingClientRect();
        this.shared.read(this.plot.posToVal(Math.min(Math.max(clientX - left, 0), width), 'x'));
      };
      over.style.touchAction = 'pan-y';
      over.addEventListener('touchstart', touch, {passive: true});
      over.addEventListener('touchmove', touch, {passive: true});
    }

    legend() {
      this.list.replaceChildren(...this.lines.map(({name, colour, kind}) => {
        const item = document.createElement('li'), key = document.createElement('i'), value = document.createElement('b');
        key.className = 'gl-key';
        key.dataset.kind = kind;
        key.style.color = `var(${colour})`;
        item.append(key, `${name} `, value);
        return item;
      }));
    }

    // The values at `x`, or the last ones without it, in the legend and in words; with `move`, the crosshair too.
    readAt(x, move) {
      if (!this.plot || this.figure.hidden) return;
      if (move) {
        const left = x === null ? -10 : this.plot.valToPos(x, 'x');
        this.plot.setCursor({left, top: x === null ? -10 : 10}, false);
      }
      const values = this.lines.map((line) => this.valueAt(line, x));
      [...this.list.children].forEach((item, number) => { item.lastChild.textContent = values[number]; });
      const when = x === null ? '' : this.shared.words(x);
      this.at.textContent = when;
      const stops = this.stops(), place = x === null ? stops.length - 1 : own.curves.nearest(stops, x);
      const said = this.lines.map(({name}, number) => `${name} ${values[number]}`).join(', '), last = own.tr('last');
      Object.assign(this.cross, {ariaValueMax: `${Math.max(0, stops.length - 1)}`, ariaValueNow: `${Math.max(0, place)}`,
        ariaValueText: `${when || last}: ${said}`});
    }

    valueAt({x, y, low, n, band}, at) {
      const last = x.length - 1, half = this.shared.halfEpoch();
      if (at !== null && (at < x[0] - half || at > x[last] + half)) return '–';
      const place = at === null ? last : own.curves.nearest(x, at), value = own.curves.written(y[place], this.unit);
      if (!band) return value;
      const spread = own.curves.written(Number((y[place] - low[place]).toPrecision(3)), this.unit);
      return `${value} ± ${spread}${n[place] === band ? '' : ` (n = ${n[place]})`}`;
    }

    describe() {
      const ends = this.lines.map(({name, x, y}) =>
        own.tr('{line} {value} at {place}', {
          line: name, value: own.curves.written(y.at(-1), this.unit), place: this.shared.words(x.at(-1), true)}));
      this.canvas.ariaLabel = `${this.title}: ${ends.join(', ')}`;
    }

    // Where the arrow keys halt: at every epoch, or at every row of steps before there is one.
    stops() {
      const rows = this.lines.filter(({kind}) => kind !== 'faint' && kind !== 'points');
      const longest = (rows.length ? rows : this.lines).reduce((a, b) => b.x.length > a.x.length ? b : a);
      const [low, high] = this.shared.range();
      return longest.x.filter((x) => x >= low && x <= high);
    }

    key(event) {
      const {key, shiftKey} = event, stops = this.stops(), last = stops.length - 1;
      if (!stops.length) return;
      const now = this.shared.at(), at = now === null ? last : own.curves.nearest(stops, now);
      const far = shiftKey ? 10 : 1;
      const to = {ArrowLeft: at - far, ArrowDown: at - far, ArrowRight: at + far, ArrowUp: at + far, PageDown: at - 10,
        PageUp: at + 10, Home: 0, End: last}[key];
      if (to !== undefined) this.shared.read(stops[Math.min(Math.max(to, 0), last)]);
      else if (key === '+' || key === '-') this.shared.zoomBy(key === '+' ? 0.5 : 2, now ?? stops[at]);
      else if (key === 'Escape') this.shared.zoom(null);
      else return;
      event.preventDefault();
    }
  };
})();
