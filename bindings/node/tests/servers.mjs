// Web servers on the loopback, and what asks them.

import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { buffer } from 'node:stream/consumers'
import { Product } from '../index.mjs'
import { NOW, vendor } from './vendor.mjs'

export const SITE = { instance: 'https://play.acme.example' }
export const ADMINISTRATOR = { name: 'ada', rights: ['read', 'write', 'delete'] }

/** Who may sign in, by their tokens. */
export const USERS = new Map([
  ['admin', ADMINISTRATOR],
  ['service', { ...ADMINISTRATOR, service: true }],
  ['reader', { name: 'rob', rights: ['read'] }],
])

/** Who sent a request. */
export function callerOf({ headers: { authorization = '' } }) {
  return USERS.get(authorization.replace(/^Bearer /, ''))
}

export function opened(folder, site = {}) {
  const product = new Product('myapp', vendor.keys(), { clock: NOW, machine: 'm' })
  return product.open(folder, { ...SITE, ...site })
}

/** Listens, and gives the port. Everything is closed after the test. */
export async function serve(t, listener) {
  const server = listener instanceof net.Server ? listener : http.createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections?.()
    server.close()
  })
  return server.address().port
}

/** Sends requests, by one connection as long as it lasts, and counts how many it took. */
export class Client {
  #port
  #agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  sockets = new Set()

  constructor(t, port) {
    this.#port = port
    t.after(() => this.#agent.destroy())
  }

  /** A body of pieces is sent in chunks. */
  async ask({ method = 'GET', target, headers = {}, body }) {
    const framing = Array.isArray(body) ? { 'transfer-encoding': 'chunked' }
      : { 'content-length': Buffer.byteLength(body ?? '') }
    const own = body === undefined ? {} : framing
    const request = http.request({
      host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path: target,
      headers: { ...own, ...headers },
    })
    request.on('socket', (socket) => this.sockets.add(socket))
    if (Array.isArray(body)) for (const part of body) request.write(part)
    request.end(Array.isArray(body) ? undefined : body)
    const answered = once(request, 'response')
    // A server that has answered may leave before all was sent.
    request.on('error', () => {})
    const [response] = await answered
    return {
      status: response.statusCode, headers: response.headers, body: await buffer(response),
    }
  }
}

/** Sends bytes as they are, and gives what comes back until the other side is done. */
export async function raw(port, ...parts) {
  const socket = net.connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  await once(socket, 'connect')
  for (const part of parts) socket.write(part)
  return String(await buffer(socket))
}

/** The warnings of this process, which are not printed until the test is over. */
export function warningsOf(t) {
  const warnings = []
  const printers = process.listeners('warning')
  process.removeAllListeners('warning').on('warning', (warning) => warnings.push(warning))
  t.after(() => {
    process.removeAllListeners('warning')
    for (const printer of printers) process.on('warning', printer)
  })
  return warnings
}
