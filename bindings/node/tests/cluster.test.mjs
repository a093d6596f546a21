// The example of a cluster: exact, stopped at the limit, and over when it is over.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { EXAMPLE } from './example.mjs'
import { emptyFolder } from './folder.mjs'
import { NOW, stranger, vendor } from './vendor.mjs'

/** Runs it, in a process group of its own, and says whether any of that is left. */
function run(t, token, folder = emptyFolder(t)) {
  writeFileSync(path.join(folder, 'keys.json'), vendor.keys())
  writeFileSync(path.join(folder, 'a.lic'), token)
  const args = ['keys.json', 'myapp', 'a.lic', '.', `clock=${NOW}`]
  return node(args, { cwd: folder })
}

function node(args, options) {
  const { pid, status, stdout, stderr } = spawnSync(process.execPath, [
    path.join(EXAMPLE, 'cluster.mjs'), ...args,
  ], { ...options, detached: true, encoding: 'utf8', timeout: 60_000 })
  assert.throws(() => process.kill(-pid, 0), { code: 'ESRCH' }, 'a process is left behind')
  return { status, stdout, stderr }
}

const license = (feature) =>
  vendor.license({ features: [{ id: 'exports', meter: 'count', per: 'month', ...feature }] })

test('four workers count to the limit together, and not past it', (t) => {
  const folder = emptyFolder(t)
  assert.deepEqual(run(t, license({ max: 900 }), folder), {
    status: 0,
    stderr: '',
    stdout: [
      'answered 200: 900', 'answered 429: 100', 'used by 4 workers: 900',
      'used in all: 900 of 900', 'starts again: 2025-12-01T00:00:00Z', '',
    ].join('\n'),
  })
  assert.match(run(t, license({ max: 900 }), folder).stdout, /^answered 429: 100\nused by 4 w.*: 0/)
})

test('without a limit all are counted', (t) => {
  const { status, stdout } = run(t, license({ per: 'ever' }))
  assert.equal(status, 0)
  assert.match(stdout, /^answered 200: 1000\nused by 4 workers: 1000\n/)
  assert.match(stdout, /of any number\nstarts again: never\n$/)
})

test('what goes wrong is one line, status 1, and nothing left behind', (t) => {
  const cases = { unknown_key: stranger.license(), not_granted: vendor.license({ features: [] }) }
  for (const [word, token] of Object.entries(cases)) {
    const { status, stdout, stderr } = run(t, token)
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, new RegExp(`^${word}: .+\n$`))
  }
})

test('a wrong call is a usage line and status 2', () => {
  const { status, stderr } = node(['keys.json', 'myapp'], {})
  assert.equal(status, 2)
  assert.match(stderr, /^usage: .+\n$/)
})
