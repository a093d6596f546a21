// Nothing leaks, and nothing is freed too early.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Product } from '../index.mjs'
import { emptyFolder } from './folder.mjs'
import { NOW, vendor } from './vendor.mjs'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const token = vendor.license()
const bytes = Buffer.from(token)
const damaged = `${token.slice(0, -4)}AAAA`

/** Bytes held after everything that can be freed was freed. */
async function held() {
  for (let round = 0; round < 4; round += 1) {
    collect()
    await new Promise(setImmediate)
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, rss }
}

/** Runs `work` often, and says how many bytes more are held after than before. */
async function growth(times, work) {
  const run = async (count) => {
    for (let done = 0; done < count; done += 1) {
      await work(done)
      if (done % 1000 === 999) await new Promise(setImmediate)
    }
  }
  await run(times / 5)
  const before = await held()
  await run(times)
  const after = await held()
  return { heap: after.heap - before.heap, rss: after.rss - before.rss }
}

const MIB = 1 << 20

test('100,000 licenses verified leave nothing behind', async () => {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const { heap, rss } = await growth(100_000, (at) => product.verify(at % 2 ? token : bytes))
  // One license is 2 KiB here: a leak of each would be 200 MiB, of one word each 800 KiB.
  assert.ok(heap < 0.7 * MIB, `${heap} bytes of heap`)
  assert.ok(rss < 32 * MIB, `${rss} bytes resident`)
})

test('20,000 refusals leave nothing behind', async () => {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const refuse = () => assert.throws(() => product.verify(damaged), { code: 'bad_signature' })
  const { heap, rss } = await growth(20_000, refuse)
  assert.ok(heap < 0.7 * MIB, `${heap} bytes of heap`)
  assert.ok(rss < 32 * MIB, `${rss} bytes resident`)
})

test('20,000 products leave nothing behind', async () => {
  const keys = vendor.keys()
  const { heap, rss } = await growth(20_000, () => new Product('myapp', keys))
  assert.ok(heap < 0.7 * MIB, `${heap} bytes of heap`)
  assert.ok(rss < 32 * MIB, `${rss} bytes resident`)
})

test('an installation that is asked and counts in leaves nothing behind', async (t) => {
  const features = [{ id: 'reports' }, { id: 'exports', meter: 'count', per: 'ever' }]
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const folder = emptyFolder(t)
  const installation = product.open(folder)
  await installation.apply(vendor.license({ features }))
  const { heap, rss } = await growth(2_000, async (at) => {
    product.set('clock', NOW + at)
    assert.equal(installation.allows('reports'), true)
    assert.equal(installation.gate('other').status, 403)
    assert.equal(installation.status().in_force, true)
    assert.equal(product.open(folder).allows('exports'), true)
    await installation.record(at % 2 ? 'exports' : 'other').catch(() => {})
  })
  // A status is 5 KiB: a leak of each would be 10 MiB, of each answer of a record 0.5 MiB.
  assert.ok(heap < 0.7 * MIB, `${heap} bytes of heap`)
  assert.ok(rss < 32 * MIB, `${rss} bytes resident`)
})

test('a license outlives its product, and a promise its caller', async () => {
  const licenses = []
  const promises = []
  for (let at = 0; at < 500; at += 1) {
    const product = new Product('myapp', vendor.keys(), { clock: NOW, machine: `m${at}` })
    licenses.push(product.verify(bytes))
    if (at % 10 === 0) promises.push(product.machine())
    if (at % 50 === 0) collect()
  }
  await held()
  const ids = (await Promise.all(promises)).map(({ id }) => id)
  assert.equal(new Set(ids).size, 50)
  await held()
  assert.ok(licenses.every((license) => license.allows('reports')))
  assert.ok(licenses.every((license) => license.limit('exports') === 900))
})

test('what was verified does not change with the bytes it came from', async () => {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const own = Buffer.from(bytes)
  const license = product.verify(own)
  own.fill(0)
  await held()
  assert.equal(license.toJSON().license.serial, 'LIC-MYAPP-A1B2C3D4')
  assert.equal(license.allows('exports'), true)
})

test('2,000 requests leave nothing behind', async (t) => {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const installation = product.open(emptyFolder(t), { license: token })
  const caller = { name: 'ada', rights: ['read', 'write', 'delete'] }
  const body = Buffer.alloc(4096, '{')
  const requests = [
    { method: 'GET', target: '/license', headers: { 'x-request-id': 'a' }, caller },
    { method: 'POST', target: '/api/licensing/token', headers: new Map(), body, caller },
  ]
  const { heap, rss } = await growth(2000, (at) => installation.handle(requests[at % 2]))
  // The page has 40 KiB: a leak of each would be 40 MiB.
  assert.ok(heap < 0.7 * MIB, `${heap} bytes of heap`)
  assert.ok(rss < 32 * MIB, `${rss} bytes resident`)
})
