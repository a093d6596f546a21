import { createRequire } from 'node:module'

// Not `import`, for the reason in index.mjs.
export const { handler } = createRequire(import.meta.url)('./http.js')
