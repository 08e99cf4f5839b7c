import OpenAI from 'openai';
import { serve } from './serve.mjs';

serve(
  (url, { key, retries }) =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: key ?? 'none', maxRetries: retries ?? 0 }),
  (client, stream) => stream.controller.abort(),
  (e) => ({ name: e.constructor.name, status: e.status }),
);
