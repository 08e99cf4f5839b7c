// Carries out calls of a client library: a line of JSON in, a line of JSON out, one at a time.
//
//   {"url": ..., "call": "chat", "with": {...}, "abort_after": 2, "key": ..., "retries": 1}
//   {"answer": ...} or {"parts": [...]} or {"error": {...}}
import { createInterface } from 'node:readline';

export async function serve(makeClient, abort, describe) {
  for await (const line of createInterface({ input: process.stdin })) {
    const outcome = await carryOut(JSON.parse(line), makeClient, abort).catch((e) => ({
      error: { name: e.name, message: e.message, ...describe(e) },
    }));
    console.log(JSON.stringify(outcome));
  }
}

async function carryOut(spec, makeClient, abort) {
  const { url, call, with: request, abort_after: abortAfter } = spec;
  const client = makeClient(url, spec);
  const path = call.split('.');
  const method = path.pop();
  const room = path.reduce((object, name) => object[name], client);
  const answer = await (request === undefined ? room[method]() : room[method](request));
  if (!request?.stream) return { answer };
  const parts = [];
  for await (const part of answer) {
    parts.push(part);
    if (parts.length === abortAfter) abort(client, answer);
  }
  return { parts };
}
