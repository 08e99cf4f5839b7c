// What the page has of the gateway: the stream of events, read by fetch since an EventSource
// cannot send a key, and the few calls that its buttons make.

const KEY = 'drover-key';
const LONGEST_PAUSE_MS = 10000;
const SILENT_MS = 20000; // there is a sign of life every few seconds

export function savedKey() {
  return sessionStorage.getItem(KEY);
}

export function saveKey(key) {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
}

function headers() {
  const key = savedKey();
  return key ? { Authorization: `Bearer ${key}` } : {};
}

// Returns what the gateway said; throws an Error with its words.
export async function call(method, path) {
  const answer = await fetch(path, { method, headers: headers(), cache: 'no-store' });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? `the gateway answered ${answer.status}`);
  return said;
}

export class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

// Calls `tell(name, data)` for each event that comes.
class EventReader {
  constructor(tell) {
    this.tell = tell;
    this.text = '';
    this.decoder = new TextDecoder();
    this.retryMs = null;
  }

  feed(bytes) {
    this.text += this.decoder.decode(bytes, { stream: true });
    const blocks = this.text.split('\n\n');
    this.text = blocks.pop();
    for (const block of blocks) this.take(block);
  }

  take(block) {
    let name = null;
    let data = null;
    for (const line of block.split('\n')) {
      if (line.startsWith('event: ')) name = line.slice(7);
      else if (line.startsWith('data: ')) data = line.slice(6);
      else if (line.startsWith('retry: ')) this.retryMs = Number(line.slice(7));
    }
    if (data !== null) this.tell(name, JSON.parse(data));
  }
}

export class Connection {
  // `on.event(name, data)`, `on.live()`, `on.lost(why)` (it tries again by itself),
  // `on.refused(refusal)` (a key is needed: it waits for start).
  constructor(on) {
    this.on = on;
    this.pauseMs = 1000;
    this.firstPauseMs = 1000;
    this.run = 0; // of several starts the last one counts
    addEventListener('online', () => this.hurry?.());
  }

  async start() {
    const run = ++this.run;
    this.abort?.abort();
    while (run === this.run) {
      try {
        await this.watch(run);
        if (run === this.run) this.on.lost('the gateway ended the connection');
      } catch (error) {
        if (run !== this.run) return;
        if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
          this.on.refused(error);
          return;
        }
        this.on.lost(error instanceof Refused ? error.message : 'the gateway does not answer');
      }
      await this.pause();
    }
  }

  stop() {
    this.run++;
    this.abort?.abort();
  }

  async watch(run) {
    const abort = new AbortController();
    this.abort = abort;
    let silence = setTimeout(() => abort.abort(), SILENT_MS);
    try {
      const answer = await fetch('/admin/v1/events', {
        headers: headers(),
        cache: 'no-store',
        signal: abort.signal,
      });
      if (!answer.ok) {
        const said = await answer.json().catch(() => ({}));
        throw new Refused(answer.status, said.error ?? `the gateway answered ${answer.status}`);
      }
      const events = new EventReader((name, data) => {
        if (run === this.run) this.on.event(name, data);
      });
      const reader = answer.body.getReader();
      this.on.live();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENT_MS);
        events.feed(value);
        this.firstPauseMs = events.retryMs ?? this.firstPauseMs;
        this.pauseMs = this.firstPauseMs;
      }
    } finally {
      clearTimeout(silence);
    }
  }

  // Longer from time to time, and never the same for all pages that lost their gateway at once.
  pause() {
    const ms = this.pauseMs * (0.75 + Math.random() / 2);
    this.pauseMs = Math.min(this.pauseMs * 1.6, LONGEST_PAUSE_MS);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
