// The README says what is true: its programs run as they stand.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { emptyFolder } from './folder.mjs'
import { vendor } from './vendor.mjs'

const HOME = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(path.join(HOME, 'README.md'), 'utf8')

test('it has the four sections that every binding has', () => {
  const titles = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)
  assert.deepEqual(titles, ['Install', 'Use', 'Develop', 'Test'])
})

test('its programs run', (t) => {
  const folder = emptyFolder(t)
  mkdirSync(path.join(folder, 'node_modules'))
  symlinkSync(HOME, path.join(folder, 'node_modules/licentia'), 'dir')
  writeFileSync(path.join(folder, 'keys.json'), vendor.keys())
  writeFileSync(path.join(folder, 'myapp.lic'), vendor.license({ valid_until: null }))
  const programs = [...page.matchAll(/^```js\n(.*?)^```/gms)].map(([, program]) => program)
  assert.equal(programs.length, 5)
  for (const program of programs) {
    writeFileSync(path.join(folder, 'program.mjs'), program)
    const { status, stderr } = spawnSync(process.execPath, ['program.mjs'], { cwd: folder })
    assert.equal(status, 0, String(stderr))
  }
})
