// The license server as a vendor has it: `licentia serve`, with a database of its own.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { emptyFolder } from './folder.mjs'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const TARGET = path.resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target')
const COMMAND = path.join(TARGET, 'debug', 'licentia')
const ADMIN_KEY = 'an-administrator-key-that-is-for-tests-only'

/** Why these tests are skipped; `false` = they are not. `LICENTIA_REQUIRE=cli` has them fail. */
export const MISSING = !existsSync(COMMAND) &&
  !(process.env.LICENTIA_REQUIRE ?? '').split(',').includes('cli') &&
  `there is no ${path.relative(ROOT, COMMAND)}: make command`

export class LicenseServer {
  static async start(t) {
    const server = new LicenseServer()
    const args = ['serve', '--listen', '127.0.0.1:0', '--data', path.join(emptyFolder(t), 'data')]
    const env = { ...process.env, LICENTIA_ADMIN_KEY: ADMIN_KEY, LICENTIA_LOG_LEVEL: 'error' }
    const child = spawn(COMMAND, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.on('data', (data) => { said += data })
    t.after(async () => {
      child.kill('SIGKILL')
      await once(child, 'close')
    })
    for await (const line of createInterface(child.stdout)) {
      const [, url] = line.match(/listening on (http:\S+)/) ?? []
      if (url !== undefined) return Object.assign(server, { url })
    }
    throw new Error(`the server has ended: ${said}`)
  }

  /** The settings of an installation that asks it. */
  get settings() {
    return { server: this.url, proxy: 'none' }
  }

  /** Asks as the administrator. */
  async ask(method, target, body) {
    const response = await fetch(`${this.url}/api/v1${target}`, {
      method, body: body && JSON.stringify(body),
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    })
    const answer = await response.text()
    assert.ok(response.ok, `${method} ${target}: ${response.status} ${answer}`)
    return answer && JSON.parse(answer)
  }

  /** Makes a product, and a license for it; gives the license, and the keys of the product. */
  async sell(code, license) {
    const pair = await this.ask('POST', '/key-pairs', { name: code })
    const made = { name: code, code, key_pair_id: pair.id }
    const product = await this.ask('POST', '/products', made)
    const sold = await this.ask('POST', '/licenses', { product_id: product.id, ...license })
    const { keys } = await this.ask('GET', `/products/${product.id}/public-key`)
    return { license: sold, keys: JSON.stringify(Array.isArray(keys) ? { keys } : keys) }
  }

  /** What was used of a feature of a license, all machines together. */
  async used(license, feature) {
    const { usage } = await this.ask('GET', `/licenses/${license.id}/usage`)
    return usage.find((row) => row.feature === feature)?.used
  }
}
