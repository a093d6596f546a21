// The quickstart of the README, with good and bad licenses.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { Product } from '../index.mjs'
import { EXAMPLE } from './example.mjs'
import { NOW, DAY, stranger, vendor } from './vendor.mjs'

let folder

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'licentia-'))
  writeFileSync(path.join(folder, 'keys.json'), vendor.keys())
})

after(() => rmSync(folder, { recursive: true }))

/** Runs it over a license. */
function run(token, ...settings) {
  writeFileSync(path.join(folder, 'a.lic'), token)
  return quickstart('keys.json', 'myapp', 'a.lic', ...settings)
}

function quickstart(...args) {
  const file = path.join(EXAMPLE, 'quickstart.mjs')
  const options = { cwd: folder, encoding: 'utf8' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], options)
  return { status, stdout, stderr }
}

const HERE = ['machine=cluster=1', `clock=${NOW}`]

test('prints what a license says', async () => {
  const { id } = await new Product('myapp', vendor.keys(), { machine: 'cluster=1' }).machine()
  assert.deepEqual(run(vendor.license(), ...HERE), {
    status: 0,
    stderr: '',
    stdout: [
      'licensed to: ACME Labs', 'serial: LIC-MYAPP-A1B2C3D4', 'until: 2025-12-22T00:00:00Z',
      'allows reports: yes', 'allows exports: yes', 'limit of exports: 900',
      `machine: ${id}`, '',
    ].join('\n'),
  })
})

test('without an end, a limit, or a feature', () => {
  const features = [{ id: 'exports', meter: 'level' }]
  const { stdout } = run(vendor.license({ valid_until: null, features }), ...HERE)
  assert.match(stdout, /until: without end\nallows reports: no\nallows exports: yes\n/)
  assert.match(stdout, /limit of exports: none\n/)
  assert.match(run(vendor.license({ features: [] }), ...HERE).stdout, /limit of exports: 0\n/)
})

test('a refusal is one line with its word, and status 1', () => {
  const cases = {
    bad_signature: [`${vendor.license().slice(0, -4)}AAAA`],
    expired: [vendor.license(), `clock=${NOW + 30 * DAY}`],
    wrong_product: [vendor.license({}, { aud: 'other' })],
    unknown_key: [stranger.license()],
    wrong_machine: [vendor.license({
      binding: { machine: { v: 1, need: 1, parts: { identity: ['A'.repeat(22)] } } },
    })],
    invalid_argument: [vendor.license(), 'machine_fil=x'],
  }
  for (const [word, [token, ...settings]] of Object.entries(cases)) {
    const { status, stdout, stderr } = run(token, ...HERE, ...settings)
    assert.deepEqual([status, stdout], [1, ''], word)
    assert.match(stderr, new RegExp(`^${word}: .+\n$`))
  }
  assert.match(quickstart('keys.json', 'myapp', 'no.lic').stderr, /^io: /)
})

test('a wrong call is a usage line and status 2', () => {
  for (const args of [[], ['k'], ['k', 'p']]) {
    const { status, stdout, stderr } = quickstart(...args)
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, /^usage: .+\n$/)
  }
})
