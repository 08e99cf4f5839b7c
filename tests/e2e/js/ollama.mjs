import { Ollama } from 'ollama';
import { serve } from './serve.mjs';

serve(
  (url) => new Ollama({ host: url }),
  (client) => client.abort(),
  (e) => ({ status: e.status_code }),
);
