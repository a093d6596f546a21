import { createRequire } from 'node:module'

// Not `import`: where that throws, Node 20 ends the process even if the caller catches it.
export const { Installation, License, Product, Seat } = createRequire(import.meta.url)('./index.js')
