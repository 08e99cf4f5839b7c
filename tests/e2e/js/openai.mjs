// One call of the npm client `openai`, its outcome as one line of JSON.
//
//   node openai.mjs BASE_URL '{"call": "chat.completions.create", "with": {...}}'
import OpenAI from 'openai';

const [base, text] = process.argv.slice(2);
const { call, with: request, abort_after: abortAfter, retries } = JSON.parse(text);
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'none', maxRetries: retries ?? 0 });

async function run() {
  const path = call.split('.');
  const method = path.pop();
  const room = path.reduce((object, name) => object[name], client);
  const answer = await (request === undefined ? room[method]() : room[method](request));
  if (!request?.stream) return { answer };
  const parts = [];
  for await (const part of answer) {
    parts.push(part);
    if (parts.length === abortAfter) answer.controller.abort();
  }
  return { parts };
}

run()
  .catch((e) => ({ error: { name: e.constructor.name, message: e.message, status: e.status } }))
  .then((outcome) => console.log(JSON.stringify(outcome)));
