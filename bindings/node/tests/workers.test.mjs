// Worker threads that come and go, and processes that end with work under way.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Product } from '../index.mjs'
import { emptyFolder } from './folder.mjs'
import { silent } from './issuer.mjs'
import { NOW, vendor } from './vendor.mjs'

const FILE = new URL('./worker.mjs', import.meta.url)
const FEATURES = [{ id: 'reports' }, { id: 'exports', meter: 'count', per: 'month' }]
const DATA = { keys: vendor.keys(), clock: NOW, token: vendor.license({ features: FEATURES }) }

/** One worker from start to end. An endless one is terminated in the middle of its work. */
async function live(folder, endless) {
  const worker = new Worker(FILE, { workerData: { ...DATA, folder, endless } })
  const ended = once(worker, 'exit')
  const [message] = await once(worker, 'message')
  if (endless) await worker.terminate()
  const [status] = await ended
  return { message, status }
}

test('100 workers load, verify, count and end, half of them by force', async (t) => {
  const product = new Product('myapp', DATA.keys, { clock: NOW })
  const folder = emptyFolder(t)
  const installation = product.open(folder)
  await installation.apply(DATA.token)
  for (let at = 0; at < 100; at += 4) {
    const lives = [true, false, true, false].map((endless) => live(folder, endless))
    assert.equal(product.verify(DATA.token).allows('reports'), true)
    assert.equal(installation.allows('reports'), true)
    for (const [index, { message, status }] of (await Promise.all(lives)).entries()) {
      assert.deepEqual([message, status], ['works', index % 2 === 0 ? 1 : 0])
    }
  }
  assert.equal(product.verify(DATA.token).allows('reports'), true)
  assert.equal((await product.machine()).product, 'myapp')
  // What was acknowledged was counted, and nobody was kept out by who was ended.
  const { used } = installation.usage('exports')
  assert.ok(used >= 100 * 8, `${used} were counted`)
  await installation.record('exports')
  assert.equal(installation.usage('exports').used, used + 1)
})

test('a worker may be terminated before it has loaded anything', async (t) => {
  const workers = Array.from({ length: 10 }, () =>
    new Worker(FILE, { workerData: { ...DATA, folder: emptyFolder(t), endless: true } }))
  await Promise.all(workers.map((worker) => worker.terminate()))
})

test('a worker is terminated while it waits for a server', async (t) => {
  const { url, sockets } = await silent(t)
  const folder = emptyFolder(t)
  const installation = new Product('myapp', DATA.keys, { clock: NOW }).open(folder)
  await installation.apply(DATA.token)
  const data = { ...DATA, folder, endless: true, server: url }
  for (let round = 1; round <= 3; round += 1) {
    const worker = new Worker(FILE, { workerData: data })
    const ended = once(worker, 'exit')
    await once(worker, 'message')
    while (sockets.size < round) await sleep(10)
    await worker.terminate()
    assert.deepEqual(await ended, [1])
  }
  await installation.record('exports')
  assert.equal(installation.allows('reports'), true)
})

/** How a process ends that starts to read its machine and to count 50 times and does `last`. */
function ends(folder, last, server = '') {
  const module = fileURLToPath(new URL('../index.js', import.meta.url))
  const script = `
    const { Product } = require(${JSON.stringify(module)})
    const product = new Product('myapp', ${JSON.stringify(DATA.keys)}, { clock: ${NOW} })
    const installation = product.open(${JSON.stringify(folder)}, {
      license: '${DATA.token}', server: ${JSON.stringify(server)}, serverTimeout: 2, proxy: 'none',
    })
    for (let at = 0; at < 50; at++) {
      product.machine()
      installation.record('exports').then(() => process.exitCode ??= 5)
    }
    ${last}`
  const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script])
  return { status, signal, stderr: String(stderr) }
}

test('a process ends cleanly with work under way', (t) => {
  const folder = emptyFolder(t)
  assert.deepEqual(ends(folder, 'process.exit(3)'), { status: 3, signal: null, stderr: '' })
  assert.deepEqual(ends(folder, 'setImmediate(() => process.exit(4))'), {
    status: 4, signal: null, stderr: '',
  })
})

test('a process that waits for a server ends cleanly, and no later than that', async (t) => {
  // In a thread of its own: this one waits for the other, and answers nobody meanwhile.
  const listener = new Worker(`
    const { parentPort } = require('node:worker_threads')
    const server = require('node:net').createServer((socket) => socket.on('error', () => {}))
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`,
  { eval: true })
  t.after(() => listener.terminate())
  const [port] = await once(listener, 'message')
  const calls = `
    for (const holder of ['ann', 'bob', 'cyd']) installation.seat(holder).catch(() => {})
    installation.sync().catch(() => {})`
  for (const last of ['process.exit(3)', 'setTimeout(() => process.exit(3), 100)',
    `setTimeout(() => process.kill(process.pid, 'SIGTERM'), 100)`]) {
    const began = performance.now()
    const { status, signal, stderr } =
      ends(emptyFolder(t), `${calls}; ${last}`, `http://127.0.0.1:${port}`)
    const ended = last.includes('SIGTERM') ? [null, 'SIGTERM', ''] : [3, null, '']
    assert.deepEqual([status, signal, stderr], ended, last)
    t.diagnostic(`${last}: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  }
})

test('a process waits for its promises, and for nothing after them', (t) => {
  const folder = emptyFolder(t)
  assert.deepEqual(ends(folder, ''), { status: 5, signal: null, stderr: '' })
  const product = new Product('myapp', DATA.keys, { clock: NOW })
  const installation = product.open(folder, { license: DATA.token })
  assert.equal(installation.usage('exports').used, 50)
  const atExit = `
    process.on('exit', () => {
      installation.recordLater('exports', 2)
      installation.close()
    })`
  assert.deepEqual(ends(folder, atExit), { status: 5, signal: null, stderr: '' })
  assert.equal(installation.usage('exports').used, 102)
})

test('a process ends by itself when all is done', () => {
  const module = fileURLToPath(new URL('../index.js', import.meta.url))
  const { status } = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(module)})`])
  assert.equal(status, 0)
})
