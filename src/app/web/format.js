// Numbers and times in the words that the page uses.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// Two units at most: nobody plans by the seconds of an hour.
export function duration(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  // Rounded before it is parted, so that 59.9 s is a minute and not 60 s.
  const s = Math.round(ms / SECOND) * SECOND;
  if (s < MINUTE) return `${s / SECOND} s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min ${(s % MINUTE) / SECOND} s`;
  if (s < DAY) return `${Math.floor(s / HOUR)} h ${Math.floor((s % HOUR) / MINUTE)} min`;
  return `${Math.floor(s / DAY)} d ${Math.floor((s % DAY) / HOUR)} h`;
}

// Of an estimate: no more exact than it is.
export function estimate(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms < SECOND) return 'now';
  return `~ ${duration(Math.ceil(ms / SECOND) * SECOND)}`.replace('.0 s', ' s');
}

export function count(n) {
  return n === null || n === undefined ? '–' : n.toLocaleString('en');
}

export function many(n, one, more) {
  return `${count(n)} ${n === 1 ? one : more}`;
}

export function rate(n) {
  if (n === null || n === undefined) return '–';
  return n < 10 ? n.toFixed(1) : count(Math.round(n));
}

export function percent(part, whole) {
  return whole === 0 ? '–' : `${Math.round((100 * part) / whole)} %`;
}

export function clock(wallMs) {
  return new Date(wallMs).toLocaleTimeString('en-GB');
}
