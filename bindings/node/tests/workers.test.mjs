// Worker threads that come and go, and processes that end with work under way.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Product } from '../index.mjs'
import { NOW, vendor } from './vendor.mjs'

const FILE = new URL('./worker.mjs', import.meta.url)
const DATA = { keys: vendor.keys(), clock: NOW, token: vendor.license() }

/** One worker from start to end. An endless one is terminated in the middle of its work. */
async function live(endless) {
  const worker = new Worker(FILE, { workerData: { ...DATA, endless } })
  const ended = once(worker, 'exit')
  const [message] = await once(worker, 'message')
  if (endless) await worker.terminate()
  const [status] = await ended
  return { message, status }
}

test('100 workers load, verify and end, half of them by force', async () => {
  const product = new Product('myapp', DATA.keys, { clock: NOW })
  for (let at = 0; at < 100; at += 4) {
    const lives = [live(true), live(false), live(true), live(false)]
    assert.equal(product.verify(DATA.token).allows('reports'), true)
    for (const [index, { message, status }] of (await Promise.all(lives)).entries()) {
      assert.deepEqual([message, status], ['works', index % 2 === 0 ? 1 : 0])
    }
  }
  assert.equal(product.verify(DATA.token).allows('reports'), true)
  assert.equal((await product.machine()).product, 'myapp')
})

test('a worker may be terminated before it has loaded anything', async () => {
  const workers = Array.from({ length: 10 }, () =>
    new Worker(FILE, { workerData: { ...DATA, endless: true } }))
  await Promise.all(workers.map((worker) => worker.terminate()))
})

/** How a process ends that starts to read its machine 50 times and then does `last`. */
function ends(last) {
  const module = fileURLToPath(new URL('../index.js', import.meta.url))
  const script = `
    const { Product } = require(${JSON.stringify(module)})
    const product = new Product('myapp', ${JSON.stringify(vendor.keys())})
    for (let at = 0; at < 50; at++) product.machine().then(() => process.exitCode ??= 5)
    ${last}`
  const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script])
  return { status, signal, stderr: String(stderr) }
}

test('a process ends cleanly with work under way', () => {
  assert.deepEqual(ends('process.exit(3)'), { status: 3, signal: null, stderr: '' })
  assert.deepEqual(ends('setImmediate(() => process.exit(4))'), {
    status: 4, signal: null, stderr: '',
  })
})

test('a process waits for a promise, and for nothing after it', () => {
  assert.deepEqual(ends(''), { status: 5, signal: null, stderr: '' })
})

test('a process ends by itself when all is done', () => {
  const module = fileURLToPath(new URL('../index.js', import.meta.url))
  const { status } = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(module)})`])
  assert.equal(status, 0)
})
