// Nodes: their slots as cells, what they hold and load, and the two things to do about them.

import { byId, element, setAttribute, setChip, setHidden, setText } from './dom.js';
import { duration } from './format.js';
import { Rows } from './rows.js';

const KINDS = { up: 'good', down: 'bad', draining: 'warn', loaded: 'good', loading: 'warn' };
const CELLS_MOST = 64;

// As many cells as there are slots; beyond a bound the words alone tell.
function showCells(box, slots, busy) {
  const wanted = Math.min(slots, CELLS_MOST);
  while (box.childElementCount > wanted) box.lastElementChild.remove();
  while (box.childElementCount < wanted) box.append(element('span', { class: 'cell' }));
  [...box.children].forEach((cell, i) => cell.classList.toggle('busy', i < busy));
  setAttribute(box, 'aria-label', `${busy} of ${slots} slots in use`);
}

function makeModel() {
  const name = element('span', { class: 'name' });
  const chip = element('span', { class: 'chip' });
  const detail = element('small');
  const bar = element('progress');
  const node = element('li', {}, name, chip, detail, bar);
  return {
    node,
    update: (model) => {
      const context = model.num_ctx ? `, context ${model.num_ctx}` : '';
      setText(name, model.name);
      setChip(chip, model.state === 'draining' ? 'leaving' : model.state, KINDS[model.state]);
      setHidden(bar, model.state !== 'loading' || model.loading_ms === undefined);
      if (model.loading_ms !== undefined) {
        setAttribute(bar, 'max', model.load_expected_ms);
        setAttribute(bar, 'value', Math.min(model.loading_ms, model.load_expected_ms));
        setAttribute(bar, 'aria-label', `loading ${model.name}`);
        setText(
          detail,
          `for ${duration(model.loading_ms)} of about ${duration(model.load_expected_ms)}${context}`,
        );
      } else {
        setText(detail, `${model.busy} of ${model.slots} in use${context}`);
      }
    },
  };
}

function healthOf(node) {
  if (node.breaker === 'open') return 'paused after errors';
  if (node.breaker === 'trying') return 'tried again after errors';
  return '';
}

export class Nodes {
  // `act(node, verb)`: drain or resume.
  constructor(act) {
    this.act = act;
    const nameOf = (node) => node.name;
    this.rows = new Rows(byId('nodes'), nameOf, (node) => this.make(node)).holdUnderPointer();
  }

  make(first) {
    const title = element('h3', {}, first.name);
    const chip = element('span', { class: 'chip' });
    const button = element('button', { type: 'button' });
    const cells = element('div', { class: 'cells', role: 'img' });
    const where = element('p', { class: 'quiet where' });
    const models = element('ul', { class: 'models', 'aria-label': `Models on ${first.name}` });
    const empty = element('p', { class: 'quiet' }, 'No model is loaded.');
    const header = element('header', {}, title, chip, button);
    const node = element('li', { class: 'card node' }, header, cells, where, models, empty);
    const modelRows = new Rows(
      models,
      (m) => `${m.name} ${m.num_ctx ?? ''} ${m.num_gpu ?? ''}`,
      makeModel,
    );
    let verb = 'drain';

    node.dataset.name = first.name;
    button.addEventListener('click', () => this.act(first.name, verb));
    return {
      node,
      update: (now) => {
        verb = now.draining ? 'resume' : 'drain';
        setChip(chip, now.state, KINDS[now.state]);
        setText(button, now.draining ? 'Resume' : 'Drain');
        setAttribute(button, 'aria-label', `${now.draining ? 'Resume' : 'Drain'} ${now.name}`);
        showCells(cells, now.slots, now.busy);
        const facts = [
          `${now.busy} of ${now.slots} slots in use`,
          now.url,
          now.version ? `version ${now.version}` : '',
          healthOf(now),
        ];
        setText(where, facts.filter(Boolean).join(' · '));
        modelRows.show(now.models);
        setHidden(models, now.models.length === 0);
        setHidden(empty, now.models.length > 0);
      },
    };
  }

  show(state) {
    this.rows.show(state.backends);
    setText(byId('nodes-count'), String(state.backends.length));
  }
}
