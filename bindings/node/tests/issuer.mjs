// A vendor's server for tests, on the loopback: it signs what docs/format.md says, and nothing else
// is true of it.

import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { json } from 'node:stream/consumers'
import { inflateSync } from 'node:zlib'
import { serve } from './servers.mjs'
import { NOW, vendor } from './vendor.mjs'

export const ID = '7c9e6679-7425-40de-944b-e07fc1f90ae7'

/** What is in a request, which its installation has to have signed. */
export function read(text) {
  const [request, signature] = inflateSync(Buffer.from(text, 'base64')).toString().split('\n')
  const key = createPublicKey({ key: JSON.parse(request).cnf.jwk, format: 'jwk' })
  const signed = Buffer.from(`licentia-request\n${request}`)
  assert.ok(verify(null, signed, key, Buffer.from(signature, 'base64url')))
  return JSON.parse(request)
}

/** The answer to a request: to one about a seat a lease, to others how the license stands. */
export function answer(request, changes = {}) {
  const { what, nonce, installation, seat } = read(request)
  const said = {
    iss: 'https://licenses.acme.example', aud: 'myapp', iat: NOW, nonce, installation,
    license_id: ID,
  }
  if (seat) {
    const exp = what === 'release' ? NOW : NOW + 3600
    const lease = { jti: '1', exp, holder: seat.holder, seat: 1, borrowed: what === 'borrow' }
    return vendor.sign({ ...said, ...lease, ...changes }, { typ: 'lic-lease+jwt' })
  }
  const status = { seq: 1, epoch: 0, server_time: NOW, status: 'ok' }
  return vendor.sign({ ...said, ...status, ...changes }, { typ: 'lic-sync+jwt' })
}

/** A server that answers as it is told; `asked` are the words of what it was asked. */
export class Issuer {
  asked = []
  requests = []
  answers = []
  seq = 0
  /** What is different about the next answers: members, or what gives them for a request. */
  changes = {}
  now = () => NOW
  /** What is sent in place of an answer: `[status, body, headers]`. */
  instead = null
  /** What is waited for before an answer goes out. */
  until = Promise.resolve()
  /** How many wait for an answer, and how many did at a time, at the most. */
  open = 0
  most = 0

  /** With a certificate and its key it speaks TLS. */
  static async start(t, tls) {
    const issuer = new Issuer()
    const take = (req, res) => issuer.#take(req, res)
    const server = tls ? https.createServer(tls, take) : http.createServer(take)
    issuer.url = `http${tls ? 's' : ''}://127.0.0.1:${await serve(t, server)}`
    return issuer
  }

  /** Waits from now on; gives what lets it go on. */
  hold() {
    let go
    this.until = new Promise((resolve) => { go = resolve })
    return go
  }

  /** The settings of an installation that asks it. */
  get settings() {
    return { server: this.url, proxy: 'none', serverTimeout: 20 }
  }

  async #take(req, res) {
    this.open += 1
    this.most = Math.max(this.most, this.open)
    res.on('close', () => { this.open -= 1 })
    const { request } = await json(req)
    const said = read(request)
    this.asked.push(said.what)
    this.requests.push(said)
    await this.until
    const [status, body, headers] = this.instead ?? [200, { answer: this.#answer(request) }]
    const kind = body?.code === undefined ? 'json' : 'problem+json'
    res.writeHead(status, { 'content-type': `application/${kind}`, ...headers })
    res.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  #answer(request) {
    this.seq += 1
    const said = read(request)
    const at = this.now()
    const lease = { iat: at, jti: String(this.seq), exp: said.what === 'release' ? at : at + 3600 }
    const own = said.seat ? lease : { iat: at, server_time: at, seq: this.seq }
    const changes = typeof this.changes === 'function' ? this.changes(said) : this.changes
    const signed = answer(request, { ...own, ...changes })
    this.answers.push(signed)
    return signed
  }
}

/** A server that takes connections and never says anything. */
export async function silent(t) {
  const sockets = new Set()
  const server = http.createServer(() => {})
  server.on('connection', (socket) => sockets.add(socket))
  return { url: `http://127.0.0.1:${await serve(t, server)}`, sockets }
}
