import OpenAI from 'openai';
import { serve } from './serve.mjs';

serve(
  (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 }),
  (client, stream) => stream.controller.abort(),
  (e) => ({ name: e.constructor.name, status: e.status }),
);
