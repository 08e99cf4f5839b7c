// Elements, made and changed. Text only ever goes in as text, so that no name of a model or a key
// can be markup.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function drawing(tag, attributes = {}) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

export function byId(id) {
  return document.getElementById(id);
}

// What stays as it is is not touched: a selection, and what a screen reader is at, survive.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

// An element that shows a state: a word in a colour.
export function setChip(node, text, kind) {
  setText(node, text);
  setAttribute(node, 'class', kind ? `chip ${kind}` : 'chip');
}
