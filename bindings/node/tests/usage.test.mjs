// What is used: counted exactly, stopped at the limit, and waited for on other threads.

import assert from 'node:assert/strict'
import { readdirSync, renameSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Product } from '../index.mjs'
import { elsewhere, emptyFolder } from './folder.mjs'
import { DAY, NOW, vendor } from './vendor.mjs'

const invalid = { name: 'TypeError', code: 'invalid_argument' }
const MONTH_END = Date.UTC(2025, 11, 1) / 1000

const FEATURES = [
  { id: 'reports' },
  { id: 'exports', meter: 'count', per: 'month', max: 900 },
  { id: 'calls', meter: 'count', per: 'day' },
  { id: 'hits', meter: 'count', per: 'ever', max: 10, then: 'count' },
  { id: 'users', meter: 'level', max: 15 },
  { id: 'hosts', meter: 'distinct', days: 30, max: 3 },
]

/** An installation with the features above. */
async function metered(t, license = {}) {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const folder = emptyFolder(t)
  const installation = product.open(folder)
  await installation.apply(vendor.license({ features: FEATURES, ...license }))
  return { product, folder, installation }
}

test('a counter counts, and starts again', async (t) => {
  const { product, installation } = await metered(t)
  const fresh = { used: 0, limit: 900, resetsAt: new Date(MONTH_END * 1000) }
  assert.deepEqual(installation.usage('exports'), fresh)
  assert.equal(await installation.record('exports'), undefined)
  await installation.record('exports', 5)
  await installation.record('exports', 0)
  assert.equal(installation.recordLater('exports', 4), undefined)
  assert.deepEqual(installation.usage('exports'), { ...fresh, used: 10 })
  assert.deepEqual(installation.usage('calls').limit, Infinity)
  product.set('clock', MONTH_END)
  assert.equal(installation.usage('exports').used, 0)
})

test('at its limit a counter stops, in the same turn', async (t) => {
  const { installation } = await metered(t)
  await installation.record('exports', 899)
  assert.deepEqual([installation.allows('exports'), installation.gate('exports')], [true, null])
  await assert.rejects(installation.record('exports', 2), {
    name: 'Error', code: 'limit_exceeded', message: /: use less, wait until the limit starts again/,
  })
  assert.throws(() => installation.recordLater('exports', 2), { code: 'limit_exceeded' })
  assert.equal(installation.usage('exports').used, 899)
  await installation.record('exports')
  assert.deepEqual([installation.allows('exports'), installation.access('exports')],
    [false, 'deny'])
  const { status, body } = installation.gate('exports')
  assert.deepEqual([status, JSON.parse(body).code], [429, 'limit_exceeded'])
  assert.equal(installation.allows('reports'), true)
  const stopped = installation.status().features.find(({ id }) => id === 'exports')
  assert.deepEqual([stopped.used, stopped.left, stopped.reached], [900, 0, true])
})

test('recordLater stops in the same turn too', async (t) => {
  const { installation } = await metered(t)
  assert.equal(installation.allows('exports'), true)
  installation.recordLater('exports', 900)
  assert.equal(installation.allows('exports'), false)
  await installation.flush()
  installation.close()
  assert.equal(installation.usage('exports').used, 900)
})

test('a counter that only counts goes on past its limit', async (t) => {
  const { installation } = await metered(t)
  await installation.record('hits', 10)
  assert.equal(installation.access('hits'), 'warn')
  await installation.record('hits', 10)
  assert.deepEqual([installation.usage('hits').used, installation.usage('hits').resetsAt],
    [20, null])
})

test('levels are set, and keys are noted', async (t) => {
  const { installation } = await metered(t)
  await installation.recordLevel('users', 15)
  await assert.rejects(installation.recordLevel('users', 16), { code: 'limit_exceeded' })
  assert.equal(installation.usage('users').used, 15)
  await installation.recordLevel('users', 0)
  assert.equal(installation.usage('users').used, 0)
  await Promise.all(['a', 'b', 'a', 'ä', 'b'].map((key) => installation.recordKey('hosts', key)))
  assert.equal(installation.usage('hosts').used, 3)
  await assert.rejects(installation.recordKey('hosts', 'd'), { code: 'limit_exceeded' })
  await installation.recordKey('hosts', 'a')
  assert.equal(installation.usage('hosts').used, 3)
})

test('a meter of another kind, and a feature that is not granted, are refused', async (t) => {
  const { installation } = await metered(t)
  const mixed = [() => installation.recordLevel('exports', 1), () => installation.record('users'),
    () => installation.recordKey('exports', 'a'), () => installation.record('hosts')]
  for (const call of mixed) {
    await assert.rejects(call, { name: 'Error', code: 'invalid_argument' }, String(call))
  }
  const unknown = [() => installation.record('other'), () => installation.recordLevel('other', 1),
    () => installation.recordKey('other', 'a')]
  for (const call of unknown) await assert.rejects(call, { name: 'Error', code: 'not_granted' })
  assert.throws(() => installation.usage('other'), { code: 'not_granted' })
  assert.throws(() => installation.recordLater('other'), { code: 'not_granted' })
  for (const id of ['', 'A', '\ud800', '\0', 'x'.repeat(1 << 20)]) {
    const error = { name: 'Error', code: 'invalid_argument' }
    await assert.rejects(installation.record(id), error)
    assert.throws(() => installation.usage(id), error)
  }
  for (const key of ['', 'x'.repeat(1 << 20)]) {
    await assert.rejects(installation.recordKey('hosts', key), { code: 'invalid_argument' })
  }
})

test('amounts and levels are whole numbers that a double holds', async (t) => {
  const { installation } = await metered(t)
  const none = ['a number', { valueOf: () => 1 }, '1', null, 1n, true, [1], NaN, Infinity,
    -Infinity, -1, -0.5, 0.5, 2 ** 53, Number.MAX_VALUE]
  for (const bad of none) {
    await assert.rejects(installation.record('calls', bad), invalid)
    await assert.rejects(installation.recordLevel('users', bad), invalid)
    assert.throws(() => installation.recordLater('calls', bad), invalid)
  }
  await assert.rejects(installation.recordLevel('users'), invalid)
  for (const bad of [undefined, null, 1, {}, [], Symbol('s')]) {
    await assert.rejects(installation.record(bad), invalid)
    await assert.rejects(installation.recordLevel(bad, 1), invalid)
    await assert.rejects(installation.recordKey(bad, 'a'), invalid)
    await assert.rejects(installation.recordKey('hosts', bad), invalid)
    assert.throws(() => installation.recordLater(bad), invalid)
    assert.throws(() => installation.usage(bad), invalid)
  }
  assert.deepEqual(['calls', 'users', 'hosts'].map((id) => installation.usage(id).used), [0, 0, 0])
  await installation.record('calls', -0)
  await installation.record('calls', Number.MAX_SAFE_INTEGER)
  assert.equal(installation.usage('calls').used, Number.MAX_SAFE_INTEGER)
})

test('of many at once, each gets its own answer', async (t) => {
  const { installation } = await metered(t)
  const records = Array.from({ length: 1000 }, (_, at) =>
    installation.record(at % 10 === 0 ? 'other' : 'exports', at % 7 === 0 ? 2 : 1))
  const outcomes = await Promise.allSettled(records)
  let used = 0
  for (const [at, { status, reason }] of outcomes.entries()) {
    if (at % 10 === 0) assert.equal(reason.code, 'not_granted')
    else if (status === 'fulfilled') used += at % 7 === 0 ? 2 : 1
    else assert.deepEqual([reason.code, used >= 899], ['limit_exceeded', true], `record ${at}`)
    if (status === 'rejected') assert.match(reason.stack, /usage\.test\.mjs/)
  }
  assert.equal(used, 900)
  assert.equal(installation.usage('exports').used, 900)
  assert.equal(new Set(outcomes.map(({ reason }) => reason)).size, 1 + outcomes.filter(
    ({ status }) => status === 'rejected').length)
})

test('many at once keep nothing else waiting', async (t) => {
  const { installation } = await metered(t)
  let [turns, longest, last] = [0, 0, performance.now()]
  let done = false
  const turn = () => {
    const at = performance.now()
    longest = Math.max(longest, at - last)
    last = at
    turns += 1
    if (!done) setImmediate(turn)
  }
  turn()
  t.after(() => {
    done = true
  })
  let kept = 0
  const one = () => installation.record('calls').then(() => (kept += 1))
  const records = Array.from({ length: 1000 }, one)
  // The threads of the pool are for other files too: this one does not wait for its turn.
  await stat('.')
  assert.ok(kept < 500, `${kept} records went first`)
  await Promise.all(records)
  done = true
  assert.equal(installation.usage('calls').used, 1000)
  t.diagnostic(`longest turn of the loop ${longest.toFixed(1)} ms, ${turns} turns`)
  assert.ok(turns > 10, `${turns} turns`)
  assert.ok(longest < 250, `${longest} ms`)
})

test('four processes count exactly, each in its own way', async (t) => {
  const { folder, installation } = await metered(t)
  const scripts = [
    'for (let at = 0; at < 200; at++) await installation.record("calls")',
    'await Promise.all(Array.from({ length: 200 }, () => installation.record("calls", 3)))',
    'for (let at = 0; at < 200; at++) installation.recordLater("calls", 5)',
    `let exceeded = 0
     const wrong = (error) => {
       if (error.code !== 'limit_exceeded') throw error
       exceeded += 1
     }
     const one = () => installation.record("exports").catch(wrong)
     await Promise.all(Array.from({ length: 600 }, one))
     console.log(exceeded)`,
  ]
  const run = (script) => elsewhere(folder, { clock: NOW }, script)
  const outs = await Promise.all([...scripts, scripts[3]].map(run))
  assert.equal(installation.usage('calls').used, 200 * (1 + 3 + 5))
  assert.equal(installation.usage('exports').used, 900)
  assert.equal(Number(outs[3]) + Number(outs[4]), 300)
  assert.equal(installation.allows('exports'), false)
})

test('what was recorded is there after the process was killed', async (t) => {
  const { folder, installation } = await metered(t)
  const script = `
    await installation.record('calls', 7)
    installation.recordLater('calls', 5)
    process.kill(process.pid, 'SIGKILL')`
  await assert.rejects(elsewhere(folder, { clock: NOW }, script), /SIGKILL/)
  assert.equal(installation.usage('calls').used, 12)
})

test('without a license there is nothing to count, or a reason why not', async (t) => {
  const { installation } = await metered(t)
  await installation.remove()
  await assert.rejects(installation.record('calls'), { code: 'not_licensed' })
  const free = new Product('myapp', vendor.keys(), { clock: NOW, deployment: 'saas' })
    .open(emptyFolder(t))
  await free.record('calls')
  assert.deepEqual(free.usage('calls'), { used: 0, limit: Infinity, resetsAt: null })
})

test('a folder that goes away is an error, and counting goes on when it is back', async (t) => {
  const { folder, installation } = await metered(t)
  await installation.record('calls')
  renameSync(folder, `${folder}-away`)
  t.after(() => {
    if (readdirSync(path.dirname(folder)).includes(`${path.basename(folder)}-away`)) {
      renameSync(`${folder}-away`, folder)
    }
  })
  const lost = { code: /^(state_unavailable|io)$/ }
  await assert.rejects(installation.record('calls'), lost)
  const many = [1, 2, 3].map(() => installation.record('calls'))
  for (const { reason } of await Promise.allSettled(many)) assert.match(reason.code, lost.code)
  renameSync(`${folder}-away`, folder)
  // It was away when it was last looked at, up to a second ago.
  await installation.record('calls').catch(() => sleep(1100).then(() => {
    return installation.record('calls')
  }))
  assert.equal(installation.usage('calls').used, 2)
})

test('a license that ends stops what counts under it, and a promise says why', async (t) => {
  const { product, installation } = await metered(t)
  product.set('clock', NOW + 30 * DAY)
  await assert.rejects(installation.record('calls'), { code: 'expired' })
  assert.throws(() => installation.recordLater('calls'), { code: 'expired' })
})
