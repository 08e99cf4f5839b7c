// The last hour as four charts. A chart is drawn anew when a point is added, every ten seconds.

import { byId, drawing, element, setAttribute, setText } from './dom.js';
import { count, duration, percent, rate } from './format.js';

const WIDTH = 360;
const HEIGHT = 100;
const POINTS = 360;

// The least round number that holds everything.
function ceilingOf(most) {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= most);
}

// The hour that the program keeps, with the points that came since.
export class History {
  constructor() {
    this.clear();
  }

  clear() {
    this.columns = new Map();
    this.first = 0;
    this.length = 0;
    this.stepMs = 10000;
  }

  add(points) {
    const { step_ms: stepMs, first, ...columns } = points;
    const more = columns.tokens.length;
    // After a gap, or of another program, what was there is of no use.
    if (first !== this.first + this.length) {
      this.clear();
      this.first = first;
    }
    this.stepMs = stepMs;
    for (const [name, values] of Object.entries(columns)) {
      const column = this.columns.get(name) ?? [];
      column.push(...values);
      if (column.length > POINTS) column.splice(0, column.length - POINTS);
      this.columns.set(name, column);
    }
    const kept = Math.min(this.length + more, POINTS);
    this.first += this.length + more - kept;
    this.length = kept;
  }

  get(name) {
    return this.columns.get(name) ?? [];
  }

  // The latest value that is known, no older than so many points.
  last(name, within = 6) {
    return this.get(name).slice(-within).findLast((value) => value !== null) ?? null;
  }
}

const CHARTS = [
  {
    name: 'tokens',
    title: 'Tokens a second',
    lines: [{ of: (h) => h.get('tokens').map((n) => (1000 * n) / h.stepMs), filled: true }],
    say: rate,
  },
  {
    name: 'first',
    title: 'Time to first token',
    lines: [
      { of: (h) => h.get('first_p50_ms'), label: 'p50' },
      { of: (h) => h.get('first_p95_ms'), label: 'p95' },
    ],
    say: duration,
  },
  {
    name: 'waiting',
    title: 'Waiting',
    lines: [{ of: (h) => h.get('waiting'), filled: true }],
    say: count,
    whole: true,
  },
  {
    name: 'hits',
    title: 'Cache hits',
    lines: [
      {
        of: (h) => h.get('cache_asked').map((n, i) => (n ? h.get('cache_hits')[i] / n : null)),
        filled: true,
      },
    ],
    say: (part) => (part === null ? '–' : percent(part, 1)),
    top: 1,
  },
];

// Pieces of a line, since what is not known is not drawn.
function piecesOf(values) {
  const pieces = [];
  let piece = null;
  values.forEach((value, i) => {
    if (value === null) piece = null;
    else if (piece) piece.push([i, value]);
    else pieces.push((piece = [[i, value]]));
  });
  return pieces;
}

class Chart {
  constructor(spec) {
    this.spec = spec;
    this.cursorAt = null;
    this.reading = element('span', { class: 'reading' });
    this.topMark = element('span', { class: 'top-mark', 'aria-hidden': 'true' });
    this.svg = drawing('svg', {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
    });
    for (const y of [1, HEIGHT / 2]) {
      this.svg.append(drawing('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y, y2: y }));
    }
    this.areas = spec.lines.map((line, i) => {
      const kind = i > 0 ? ' second' : '';
      const area = drawing('path', { class: `area${kind}` });
      const path = drawing('path', { class: `line${kind}` });
      this.svg.append(area, path);
      return { area, path };
    });
    this.cursor = drawing('line', { class: 'cursor', y1: 0, y2: HEIGHT });
    this.svg.append(this.cursor);
    const plot = element('div', { class: 'plot' }, this.svg, this.topMark);
    this.middle = element('span', {}, '30 min'); // or when the pointer is
    const times = element(
      'div',
      { class: 'times', 'aria-hidden': 'true' },
      element('span', {}, '1 h ago'),
      this.middle,
      element('span', {}, 'now'),
    );
    this.figure = element(
      'figure',
      { class: 'card chart', 'data-chart': spec.name },
      element('figcaption', {}, element('span', {}, spec.title), this.reading),
      plot,
      times,
    );
    this.svg.addEventListener('pointermove', (event) => this.point(event));
    this.svg.addEventListener('pointerleave', () => {
      this.cursorAt = null;
      this.read();
    });
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    const at = Math.round(((event.clientX - box.left) / box.width) * POINTS);
    this.cursorAt = Math.max(0, Math.min(POINTS - 1, at));
    this.read();
  }

  draw(history) {
    this.stepMs = history.stepMs;
    this.values = this.spec.lines.map((line) => line.of(history));
    const known = this.values.flat().filter((value) => value !== null);
    const most = known.reduce((a, b) => Math.max(a, b), 0);
    this.top = this.spec.top ?? ceilingOf(most);
    const yOf = (value) => (HEIGHT - 1 - ((HEIGHT - 2) * value) / this.top).toFixed(1);
    this.values.forEach((values, i) => {
      const xOf = (at) => POINTS - values.length + at;
      const pieces = piecesOf(values);
      const line = pieces.map((piece) =>
        // One point alone is a short stroke.
        piece.length === 1
          ? `M${xOf(piece[0][0]) - 0.5} ${yOf(piece[0][1])}h1`
          : piece.map(([at, value], n) => `${n ? 'L' : 'M'}${xOf(at)} ${yOf(value)}`).join(''),
      );
      setAttribute(this.areas[i].path, 'd', line.join(''));
      if (!this.spec.lines[i].filled) return;
      const area = pieces
        .filter((piece) => piece.length > 1)
        .map((piece) => {
          const edge = piece.map(([at, value]) => `L${xOf(at)} ${yOf(value)}`).join('');
          return `M${xOf(piece[0][0])} ${HEIGHT}${edge}L${xOf(piece[piece.length - 1][0])} ${HEIGHT}Z`;
        });
      setAttribute(this.areas[i].area, 'd', area.join(''));
    });
    setText(this.topMark, this.spec.say(this.top));
    setAttribute(this.svg, 'aria-label', this.describe(known, most));
    this.read();
  }

  describe(known, most) {
    if (known.length === 0) return `${this.spec.title}: nothing yet`;
    return `${this.spec.title} over the last hour: now ${this.sayAt(POINTS - 1)}, at most ${this.spec.say(most)}`;
  }

  sayAt(at) {
    return this.values
      .map((values, i) => {
        const value = values[at - (POINTS - values.length)] ?? null;
        const label = this.spec.lines[i].label;
        return `${label ? `${label} ` : ''}${this.spec.say(value)}`;
      })
      .join(', ');
  }

  // What the pointer is at, or else the latest.
  read() {
    if (!this.values) return;
    const at = this.cursorAt ?? POINTS - 1;
    this.cursor.style.display = this.cursorAt === null ? 'none' : '';
    setAttribute(this.cursor, 'x1', at);
    setAttribute(this.cursor, 'x2', at);
    const ago = (POINTS - 1 - at) * this.stepMs;
    const parts = this.spec.lines.flatMap((line, i) => {
      const value = this.values[i][at - (POINTS - this.values[i].length)] ?? null;
      if (!line.label) return [element('span', {}, this.spec.say(value))];
      const swatch = element('i', { class: `swatch${i > 0 ? ' second' : ''}` });
      return [element('span', {}, swatch, `${line.label} ${this.spec.say(value)}`), ' '];
    });
    setText(this.middle, this.cursorAt === null ? '30 min' : `${Math.round(ago / 60000)} min ago`);
    this.reading.replaceChildren(...parts);
  }
}

export class Charts {
  constructor() {
    this.charts = CHARTS.map((spec) => new Chart(spec));
    byId('charts').append(...this.charts.map((chart) => chart.figure));
  }

  show(history) {
    for (const chart of this.charts) chart.draw(history);
  }
}
