// One call of the npm client `ollama`, its outcome as one line of JSON.
//
//   node ollama.mjs BASE_URL '{"call": "chat", "with": {...}, "abort_after": 2}'
import { Ollama } from 'ollama';

const [base, text] = process.argv.slice(2);
const { call, with: request, abort_after: abortAfter } = JSON.parse(text);
const client = new Ollama({ host: base });

async function run() {
  const answer = await (request === undefined ? client[call]() : client[call](request));
  if (!request?.stream) return { answer };
  const parts = [];
  for await (const part of answer) {
    parts.push(part);
    if (parts.length === abortAfter) client.abort();
  }
  return { parts };
}

run()
  .catch((e) => ({ error: { name: e.name, message: e.message, status: e.status_code } }))
  .then((outcome) => console.log(JSON.stringify(outcome)));
