// A web service of several processes that share one installation: `gate` before the route, `record`
// for each request. Together they count every request, and stop at the limit.
//   cluster.mjs KEYS PRODUCT LICENSE DIRECTORY [NAME=VALUE]...

import cluster from 'node:cluster'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { Product } from 'licentia'

const FEATURE = 'exports'
const WORKERS = 4

const [keys = '', code = '', file = '', directory = '', ...settings] = process.argv.slice(2)
if (!keys || !code || !file || !directory) {
  console.error('usage: cluster.mjs KEYS PRODUCT LICENSE DIRECTORY [NAME=VALUE]...')
  process.exit(2)
}

/** The installation, which every process opens for itself. */
function open() {
  const product = new Product(code, readFileSync(keys))
  for (const setting of settings) {
    const [name = '', value = ''] = setting.split(/=(.*)/s)
    product.set(name, value)
  }
  return product.open(directory)
}

/**
 * What a worker answers: the gate's refusal, or what was asked for, once it is counted.
 * @param {import('licentia').Installation} installation
 */
async function answer(installation) {
  try {
    const refusal = installation.gate(FEATURE)
    if (refusal !== null) return refusal
    await installation.record(FEATURE)
    return { status: 200, body: JSON.stringify({ exported: true }) }
  } catch (error) {
    // Another request took what was left between the gate and the record.
    const refusal = error.code === 'limit_exceeded' ? installation.gate(FEATURE) : null
    return refusal ?? { status: 500, body: JSON.stringify({ code: error.code }) }
  }
}

function work() {
  const installation = open()
  http.createServer(async (_request, response) => {
    const { status, body } = await answer(installation)
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  }).listen(0, '127.0.0.1')
}

/** Starts the workers, and gives the port on which they all listen. */
async function start() {
  const stopped = once(cluster, 'exit').then(() => {
    throw new Error('a worker could not start')
  })
  stopped.catch(() => {})
  const started = Array.from({ length: WORKERS }, () => once(cluster.fork(), 'listening'))
  const addresses = await Promise.race([stopped, Promise.all(started)])
  return addresses[0]?.[0].port
}

/**
 * Sends requests, a few at a time, and counts the answers by their status.
 * @param {number} port
 * @param {number} requests
 */
async function drive(port, requests) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 })
  const answers = new Map()
  const ask = async () => {
    const [response] = await once(http.get({ host: '127.0.0.1', port, agent }), 'response')
    await once(response.resume(), 'end')
    answers.set(response.statusCode, (answers.get(response.statusCode) ?? 0) + 1)
  }
  await Promise.all(Array.from({ length: requests }, ask))
  agent.destroy()
  return answers
}

async function main() {
  const installation = open()
  await installation.apply(readFileSync(file))
  const { used, limit } = installation.usage(FEATURE)
  const requests = limit === Infinity ? 1000 : limit - used + 100
  const answers = await drive(await start(), requests)
  for (const [status, count] of [...answers].sort()) console.log(`answered ${status}: ${count}`)
  const after = installation.usage(FEATURE)
  console.log(`used by ${WORKERS} workers: ${after.used - used}`)
  console.log(`used in all: ${after.used} of ${limit === Infinity ? 'any number' : limit}`)
  console.log(`starts again: ${after.resetsAt?.toISOString().replace('.000', '') ?? 'never'}`)
}

if (cluster.isPrimary) {
  try {
    await main()
  } catch (error) {
    console.error(error.syscall ? `io: ${error.message}` : `${error.code}: ${error.message}`)
    process.exitCode = 1
  }
  cluster.disconnect()
} else {
  work()
}
