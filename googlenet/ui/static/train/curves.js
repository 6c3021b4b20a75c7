// What the server has sent of the curves: kept, laid along the chosen axis, smoothed. Drawn by charts.js.
// x is in epochs throughout: the row of epoch e stands at e, its steps from e−½ to e+½.
(() => {
  const own = (window.googlenet ??= {});
  const NONE = {x: [], y: []};
  let lines = new Map();  // by "run/line"

  const take = ({whole, more}) => {
    if (whole) lines = new Map();
    for (const [id, [start, x, y]] of more.flatMap((news) => Object.entries(news))) {
      const line = start === null ? {x: [], y: []} : lines.get(id) ?? {x: [], y: []};
      let kept = line.x.length;
      while (kept && line.x[kept - 1] >= start) kept--;
      lines.set(id, {x: line.x.slice(0, kept).concat(x), y: line.y.slice(0, kept).concat(y)});
    }
  };

  // The index of the value nearest to `x` in ascending `values`.
  const nearest = (values, x) => {
    let low = 0, high = values.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (values[middle] < x) low = middle; else high = middle;
    }
    return high > 0 && Math.abs(values[high] - x) < Math.abs(values[low] - x) ? high : low;
  };

  // y at `x` on the straight lines through the points, which ascend; beyond the last as steep as from the first to it.
  const along = (xs, ys, x) => {
    const last = xs.length - 1;
    if (x >= xs[last]) return ys[last] + (x - xs[last]) * ys[last] / (xs[last] - xs[0]);
    let low = 0, high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle; else high = middle;
    }
    return ys[low] + (x - xs[low]) / (xs[high] - xs[low] || 1) * (ys[high] - ys[low]);
  };

  // From epochs to the chosen axis and back, for the epochs of `run`; null where it does not say how long they take.
  const axisOf = (over, run, steps) => {
    if (over === 'steps') {
      return steps ? {to: (x) => (x + 0.5) * steps, from: (x) => x / steps - 0.5} : null;
    }
    if (over === 'time') {
      const clock = lines.get(`${run}/clock`) ?? NONE;
      if (!clock.x.length) return null;
      const xs = [-0.5, ...clock.x], seconds = [0, ...clock.y];
      return {
        to: (x) => along(xs, seconds, Math.max(x, -0.5)),
        from: (x) => x >= seconds.at(-1)
          ? xs.at(-1) + (x - seconds.at(-1)) * (xs.at(-1) + 0.5) / seconds.at(-1) : along(seconds, xs, Math.max(x, 0)),
      };
    }
    return {to: (x) => x, from: (x) => x};
  };

  // The running mean in which what was counts `weight`; right from the first point on.
  const smooth = (y, weight) => {
    let sum = 0, counted = 0;
    return y.map((value) => {
      sum = weight * sum + (1 - weight) * value;
      counted = weight * counted + 1 - weight;
      return sum / counted;
    });
  };

  // A value for people: unit is "%" for shares, "B" for bytes, or none.
  const written = (y, unit) => unit === '%' ? `${(100 * y).toFixed(2)}%` : unit === 'B' ? `${(y / 1e9).toFixed(2)} GB`
    : Math.abs(y) >= 1000 ? y.toLocaleString('en', {maximumFractionDigits: 0}) : `${Number(y.toPrecision(4))}`;
  const tick = (y, unit) => unit === '%' ? `${Number((100 * y).toPrecision(6))}%`
    : unit === 'B' ? `${Number((y / 1e9).toPrecision(3))}` : y && Math.abs(y) < 1e-4 ? y.toExponential(0)
      : Number(y.toPrecision(6)).toLocaleString('en', {maximumFractionDigits: 8});
  // With `short`, no zeros of the smaller unit: where the time is a round one.
  const clockWords = (seconds, short = false) => {
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    const rest = hours ? minutes : Math.floor(seconds % 60), two = String(rest).padStart(2, '0');
    if (hours) return short && !rest ? own.tr('{n} h', {n: hours}) : own.tr('{h} h {min} min', {h: hours, min: two});
    if (!minutes) return own.tr('{n} s', {n: Number(seconds.toFixed(1))});
    return short && !rest ? own.tr('{n} min', {n: minutes}) : own.tr('{min} min {s} s', {min: minutes, s: two});
  };

  own.curves = {take, nearest, axisOf, smooth, written, tick, clockWords, line: (id) => lines.get(id) ?? NONE};
})();
