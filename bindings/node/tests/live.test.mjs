// An installation that is held: it follows the clock and other processes for as long as it is.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Product } from '../index.mjs'
import { elsewhere, emptyFolder } from './folder.mjs'
import { DAY, NOW, vendor } from './vendor.mjs'

const require = createRequire(import.meta.url)
const END = NOW + 30 * DAY

/** A product whose clock stands at NOW, and an installation with a license until END. */
async function held(t, features) {
  const folder = emptyFolder(t)
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const installation = product.open(folder)
  await installation.apply(vendor.license(features === undefined ? {} : { features }))
  return { product, folder, installation }
}

/** How long until it answers so, in milliseconds of real time. */
async function until(answer, installation, feature = 'reports') {
  const start = performance.now()
  while (installation.allows(feature) !== answer) {
    const waited = performance.now() - start
    assert.ok(waited < 5000, `it still does not answer ${answer}`)
    await sleep(5)
  }
  return performance.now() - start
}

test('held for a year, it follows what another process does, within a second', async (t) => {
  const { product, folder, installation } = await held(t)
  const waits = []
  /** Another process does something; the clock of both stands still, real time does not. */
  const other = async (clock, script, data, answer) => {
    assert.equal(installation.allows('reports'), !answer)
    const done = elsewhere(folder, { clock }, `${script}; console.log('done')`, data)
    assert.equal(await done, 'done\n')
    waits.push(await until(answer, installation))
  }
  const license = (days, iat) => vendor.license({ valid_until: NOW + days * DAY }, { iat })

  product.set('clock', END - 1)
  assert.equal(installation.allows('reports'), true)
  product.set('clock', END)
  assert.equal(installation.allows('reports'), false)
  await other(END, 'await installation.apply(data)', license(400, END), true)
  product.set('clock', NOW + 365 * DAY)
  assert.equal(installation.allows('reports'), true)
  const year = NOW + 365 * DAY
  await other(year, 'await installation.remove()', null, false)
  await other(year, 'await installation.apply(data)', license(500, year), true)
  const list = { iss: 'https://licenses.acme.example', aud: 'myapp', iat: year }
  const id = Buffer.from('7c9e6679742540de944be07fc1f90ae7', 'hex').toString('base64url')
  const revocations = (version, ids) =>
    vendor.sign({ ...list, version, ids }, { typ: 'lic-revs+jwt' })
  await other(year, 'await installation.apply(data)', revocations(1, [id]), false)
  // A later list that leaves it out brings nothing back: what helps is another license.
  const apply = 'await installation.apply(data)'
  await elsewhere(folder, { clock: year }, apply, revocations(2, []))
  const own = { id: '01010101-0101-4101-8101-010101010101', valid_until: NOW + 500 * DAY }
  await other(year, apply, vendor.license(own, { iat: year + 1 }), true)
  t.diagnostic(`waited ${waits.map((wait) => wait.toFixed(0)).join(', ')} ms`)
  for (const wait of waits) assert.ok(wait < 3000, `${wait} ms`)
})

test('a limit that another process reaches stops this one, within a second', async (t) => {
  const features = [{ id: 'exports', meter: 'count', per: 'month', max: 5 }]
  const { folder, installation } = await held(t, features)
  assert.equal(installation.allows('exports'), true)
  await elsewhere(folder, { clock: NOW }, "await installation.record('exports', 5)")
  assert.ok(await until(false, installation, 'exports') < 3000)
  await assert.rejects(installation.record('exports'), { code: 'limit_exceeded' })
})

test('what this worker does, it knows at once', async (t) => {
  const { product, installation } = await held(t)
  const other = product.open(emptyFolder(t))
  for (let round = 0; round < 20; round += 1) {
    assert.equal(await installation.remove(), true)
    assert.equal(installation.allows('reports'), false)
    await installation.apply(vendor.license())
    assert.equal(installation.allows('reports'), true)
    assert.equal(other.allows('reports'), false)
  }
})

test('the clock is followed to the second, and set back it gains nothing', async (t) => {
  const { product, installation } = await held(t)
  const at = (clock) => {
    product.set('clock', clock)
    return installation.allows('reports')
  }
  assert.deepEqual([at(END - 1), at(new Date(END * 1000 - 1)), at(NOW)], [true, true, true])
  assert.deepEqual([at(END), at(END - 1), at(NOW)], [false, false, false])
  const fresh = product.open(emptyFolder(t), { license: vendor.license() })
  assert.deepEqual([fresh.allows('reports'), installation.allows('reports')], [true, false])
})

test('a stopped clock runs again', async (t) => {
  const { product, installation } = await held(t)
  product.set('clock', 'system')
  assert.equal(installation.allows('reports'), false)
  assert.equal(installation.status().reason, 'expired')
})

/** A license that is in force by the system's clock. */
function current(days = 30) {
  const now = Math.floor(Date.now() / 1000)
  return vendor.license({ valid_from: now - DAY, valid_until: now + days * DAY }, { iat: now - 60 })
}

test("the system's clock is asked, and another process seen, whatever Date says", async (t) => {
  const folder = emptyFolder(t)
  const installation = new Product('myapp', vendor.keys()).open(folder)
  await installation.apply(current())
  const { now } = Date
  t.after(() => {
    Date.now = now
  })
  const frozen = now()
  for (const fake of [() => frozen, () => 0, () => frozen + 365 * DAY * 1000, () => NaN]) {
    Date.now = fake
    assert.equal(installation.allows('reports'), true)
    await elsewhere(folder, {}, 'await installation.remove()')
    assert.ok(await until(false, installation) < 3000)
    Date.now = now
    const license = current()
    Date.now = fake
    await elsewhere(folder, {}, 'await installation.apply(data)', license)
    assert.ok(await until(true, installation) < 3000)
  }
})

test('so it is where Date was faked before the package was loaded', (t) => {
  const script = `
    const frozen = Date.now()
    Date = class extends Date { static now() { return frozen } }
    const { Product } = require(${JSON.stringify(require.resolve('../index.js'))})
    const product = new Product('myapp', ${JSON.stringify(vendor.keys())})
    const folder = ${JSON.stringify(emptyFolder(t))}
    const [mine, other] = [product.open(folder), product.open(folder)]
    ;(async () => {
      await mine.apply('${current()}')
      if (!mine.allows('reports')) throw new Error('denied')
      await other.remove()
      setTimeout(() => (process.exitCode = mine.allows('reports') ? 4 : 3), 1100)
    })()`
  const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  assert.deepEqual([status, stderr], [3, ''])
})

test('asked a million times in a second, it enters native code once', async (t) => {
  const { installation } = await held(t)
  let [best, allowed] = [Infinity, 0]
  for (let round = 0; round < 10; round += 1) {
    const start = performance.now()
    for (let at = 0; at < 100_000; at += 1) allowed += installation.allows('reports')
    best = Math.min(best, performance.now() - start)
  }
  assert.equal(allowed, 1_000_000)
  // One entry costs more than a microsecond: this would take 100 ms.
  assert.ok(best < 50, `${best} ms`)
})
