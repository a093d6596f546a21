import { createRequire } from 'node:module'

// Not `import`, for the reason in index.mjs.
export const { Kit, Prepared } = createRequire(import.meta.url)('./testing.js')
