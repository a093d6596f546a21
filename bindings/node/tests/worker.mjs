// What a worker of workers.test.mjs does: loads, verifies, asks and counts in an installation, and
// goes on until it ends or is ended.

import { parentPort, workerData } from 'node:worker_threads'
import { Product } from '../index.mjs'

const { keys, clock, token, folder, endless, server } = workerData
const product = new Product('myapp', keys, { clock })
const installation = product.open(folder, { server: server ?? '', proxy: 'none', serverTimeout: 2 })

/** Some work, with reading the machine and waiting for the disk under way. */
function work() {
  const reports = Array.from({ length: 8 }, () => product.machine())
  const records = Array.from({ length: 8 }, () => installation.record('exports'))
  for (let round = 0; round < 20; round += 1) {
    if (!product.verify(token).allows('reports')) throw new Error('denied')
    if (!installation.allows('reports')) throw new Error('denied by the installation')
    try {
      product.verify(token.slice(1))
    } catch (error) {
      if (error.code !== 'malformed') throw error
    }
  }
  return Promise.all([...reports, ...records])
}

// With a server that does not answer, there is always somebody who waits for it.
if (server !== undefined) {
  for (const holder of ['ann', 'bob', 'cyd']) installation.seat(holder).catch(() => {})
}
await work()
parentPort.postMessage('works')
while (endless) await work()
