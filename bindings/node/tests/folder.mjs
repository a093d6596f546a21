// Folders for tests, and other processes that use them.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { vendor } from './vendor.mjs'

const MODULE = fileURLToPath(new URL('../index.js', import.meta.url))

/** An empty folder that is gone after the test. */
export function emptyFolder(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'licentia-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * What another process prints that runs `script` on an `installation` of its own in a folder, with
 * its `product` set up by `settings`. It has `data` too.
 */
export async function elsewhere(folder, settings, script, data = null) {
  const given = JSON.stringify([vendor.keys(), folder, settings, data])
  const child = spawn(process.execPath, ['-e', `
    const { Product } = require(${JSON.stringify(MODULE)})
    const [keys, folder, settings, data] = ${given}
    const product = new Product('myapp', keys, settings)
    const installation = product.open(folder)
    ;(async () => { ${script} })()`], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [status, signal] = await ended
  if (status !== 0) throw new Error(`it ended with ${status ?? signal}: ${error}`)
  return out
}
