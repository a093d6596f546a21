import { createRequire } from 'node:module'

// Not `import`, for the reason in index.mjs.
export const { Receiver, verify, verifySignature } =
  createRequire(import.meta.url)('./webhooks.js')
