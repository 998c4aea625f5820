// A real Backstage catalog, with nothing around it: in-memory SQLite, static
// tokens, and whatever catalog files its configuration names.
//
//   node serve.mjs --config FILE
import { createBackend } from '@backstage/backend-defaults';

const backend = createBackend();
backend.add(import('@backstage/plugin-catalog-backend'));
await backend.start();
