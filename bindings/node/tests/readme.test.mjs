// The README says what is true: its programs run as they stand.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { emptyFolder } from './folder.mjs'
import { Issuer } from './issuer.mjs'
import { vendor } from './vendor.mjs'

const HOME = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(path.join(HOME, 'README.md'), 'utf8')

test('it has the four sections that every binding has', () => {
  const titles = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)
  assert.deepEqual(titles, ['Install', 'Use', 'Develop', 'Test'])
})

test('its programs run', async (t) => {
  const folder = emptyFolder(t)
  const license = vendor.license({ valid_until: null })
  const issuer = await Issuer.start(t)
  issuer.now = () => Math.floor(Date.now() / 1000)
  issuer.changes = ({ what }) => (what === 'activation' ? { license: [license] } : {})
  mkdirSync(path.join(folder, 'node_modules'))
  symlinkSync(HOME, path.join(folder, 'node_modules/licentia'), 'dir')
  writeFileSync(path.join(folder, 'keys.json'), vendor.keys())
  writeFileSync(path.join(folder, 'myapp.lic'), license)
  const programs = [...page.matchAll(/^```js\n(.*?)^```/gms)].map(([, program]) => program)
  assert.equal(programs.length, 7)
  const env = { ...process.env, no_proxy: '127.0.0.1' }
  for (const program of programs) {
    // As it stands, but for where the server is.
    const here = program.replaceAll('https://licenses.example.com', issuer.url)
    writeFileSync(path.join(folder, 'program.mjs'), here)
    const run = promisify(execFile)(process.execPath, ['program.mjs'], { cwd: folder, env })
    assert.equal((await run).stderr, '')
  }
  assert.deepEqual(issuer.asked, ['activation', 'sync', 'seat', 'release'])
})
