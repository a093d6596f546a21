import { createRequire } from 'node:module'

// Not `import`, for the reason in index.mjs.
export const { keepSynced } = createRequire(import.meta.url)('./refresh.js')
