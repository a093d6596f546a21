// The folder of the examples, with what they need.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const EXAMPLE = fileURLToPath(new URL('../../../examples/node', import.meta.url))

if (!existsSync(path.join(EXAMPLE, 'node_modules/licentia'))) {
  throw new Error(`what the examples need is not there: run \`npm ci\` in ${EXAMPLE}`)
}

/** A package that the examples use. */
export const use = createRequire(path.join(EXAMPLE, 'package.json'))

/** Fastify 5 needs a newer Node than licentia does. */
export const HAS_FASTIFY = Number(process.versions.node.split('.')[0]) >= 20
