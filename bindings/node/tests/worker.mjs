// What a worker of workers.test.mjs does: loads, verifies, and goes on until it ends or is ended.

import { parentPort, workerData } from 'node:worker_threads'
import { Product } from '../index.mjs'

const { keys, clock, token, endless } = workerData
const product = new Product('myapp', keys, { clock })

/** Some verifying, with reading the machine under way. */
function work() {
  const reports = Array.from({ length: 8 }, () => product.machine())
  for (let round = 0; round < 20; round += 1) {
    if (!product.verify(token).allows('reports')) throw new Error('denied')
    try {
      product.verify(token.slice(1))
    } catch (error) {
      if (error.code !== 'malformed') throw error
    }
  }
  return Promise.all(reports)
}

await work()
parentPort.postMessage('works')
while (endless) await work()
