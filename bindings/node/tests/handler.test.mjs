// What can go wrong between a web server and the license API: bodies that were read already,
// senders that go away, logins that fail, connections that go on.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { handler } from '../http.mjs'
import { use } from './example.mjs'
import { emptyFolder } from './folder.mjs'
import { ADMINISTRATOR, Client, opened, raw, serve, warningsOf } from './servers.mjs'
import { NOW, vendor } from './vendor.mjs'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const express = use('express')
const TOKEN = '/api/licensing/token'
const LONG = 128 * 1024
const administrator = { caller: () => ADMINISTRATOR }

/** A write with a license, or with the text that is given. */
function post(body = JSON.stringify({ token: vendor.license() }), headers = {}) {
  const type = { 'content-type': 'application/json' }
  return { method: 'POST', target: TOKEN, headers: { ...type, ...headers }, body }
}

/** An installation that counts what is handled, and how long the bodies were. */
function counted(t, site) {
  const installation = opened(emptyFolder(t), site)
  const lengths = []
  const handle = (exchange) => {
    lengths.push(exchange.body?.length ?? null)
    return installation.handle(exchange)
  }
  return { installation, lengths, handle, serves: (target) => installation.serves(target) }
}

/** A server whose listener is made from an installation, and a client of it. */
async function served(t, listener, site) {
  const it = counted(t, site)
  const port = await serve(t, listener(it))
  return { ...it, port, client: new Client(t, port) }
}

/** An Express application that stops at the first error, and says which. */
function application(...middleware) {
  const errors = []
  const app = express()
  app.use(...middleware)
  app.use((_request, response) => response.status(200).send('next'))
  app.use((error, _request, response, _next) => {
    errors.push(error)
    response.status(500).send('error')
  })
  return { app, errors }
}

async function until(condition) {
  const end = Date.now() + 10_000
  while (!condition()) {
    assert.ok(Date.now() < end, 'it has not come')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('a handler needs an installation, and takes no other options', (t) => {
  const installation = opened(emptyFolder(t))
  const invalid = { name: 'TypeError', code: 'invalid_argument' }
  for (const bad of [undefined, null, {}, 'x', { handle() {} }, { serves() {} }]) {
    assert.throws(() => handler(bad), invalid)
  }
  for (const bad of [null, [], 'x', () => null, { callers() {} }, { caller: null },
    { caller: ADMINISTRATOR }, { caller: 'x' }, { caller() {}, mount: '/x' }]) {
    assert.throws(() => handler(installation, bad), invalid)
  }
  for (const good of [undefined, {}, { caller: undefined }, { caller() {} }]) {
    assert.equal(typeof handler(installation, good), 'function')
  }
})

test('without a caller everybody is a stranger', async (t) => {
  for (const options of [undefined, {}, ...[null, undefined].flatMap((none) => [
    { caller: () => none }, { caller: async () => none }])]) {
    const { client, installation } = await served(t, (it) => handler(it, options))
    assert.equal((await client.ask(post())).status, 401)
    assert.equal((await client.ask({ target: '/license' })).status, 401)
    assert.equal((await client.ask({ target: '/api/license' })).status, 200)
    assert.equal(installation.allows('reports'), false)
  }
})

test('a login may take its time', async (t) => {
  const caller = async (request) => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    return request.headers['x-user'] === 'ada' ? ADMINISTRATOR : null
  }
  const { client, installation } = await served(t, (it) => handler(it, { caller }))
  assert.equal((await client.ask(post())).status, 401)
  assert.equal((await client.ask(post(undefined, { 'x-user': 'ada' }))).status, 200)
  assert.equal(installation.allows('reports'), true)
})

/** Logins that fail, in every way that one can. */
const FAILING = [
  () => { throw new Error('secret') },
  () => { throw 'secret' },
  () => { throw undefined },
  () => Promise.reject('route'), // Express takes this for no error.
  () => Promise.reject(new Error('secret')),
  () => ({ then: (_, reject) => reject(new Error('secret')) }),
  () => ({ name: 'ada', rights: ['everything'] }),
  () => ({ name: 'ada', right: ['read'] }),
  () => ({ name: '', rights: ['read', 'write', 'delete'] }),
  () => false,
  () => 'ada',
  async () => ({ ...ADMINISTRATOR, admin: true }),
]

test('a login that fails lets nobody in, and tells the host alone', async (t) => {
  const warnings = warningsOf(t)
  for (const caller of FAILING) {
    const { client, lengths, installation } = await served(t, (it) => handler(it, { caller }))
    const answer = await client.ask(post())
    assert.deepEqual([answer.status, String(answer.body)], [500, ''])
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(installation.allows('reports'), false)
    assert.ok(lengths.length <= 1)
    await client.ask({ target: '/api/license' })
  }
  assert.equal(warnings.length, 2 * FAILING.length)
  for (const { name } of warnings) assert.equal(name, 'LicentiaWarning')
  assert.match(warnings[0].message, /secret\n.*handler\.test\.mjs/)
})

test('where there is a next, it gets the error', async (t) => {
  for (const caller of FAILING) {
    const seen = []
    const { client, installation } = await served(t, (it) => {
      const { app, errors } = application(handler(it, { caller }))
      seen.push(errors)
      return app
    })
    const answer = await client.ask(post())
    const [errors] = seen
    assert.equal(errors.length, 1, String(caller))
    assert.deepEqual([answer.status, String(answer.body)], [500, 'error'])
    assert.equal(installation.allows('reports'), false)
  }
})

test('what is not ours goes on untouched, and the login is not asked', async (t) => {
  let asked = 0
  const caller = () => (asked += 1)
  const { client, lengths } = await served(t, (it) => application(handler(it, { caller })).app)
  for (const target of ['/', '/other', '/api/license/', '/api', '/x/license', '//license']) {
    assert.equal(String((await client.ask({ target })).body), 'next', target)
    assert.equal(String((await client.ask({ ...post(), target })).body), 'next', target)
  }
  assert.deepEqual([asked, lengths], [0, []])
  const { client: alone } = await served(t, (it) => handler(it))
  assert.equal((await alone.ask({ target: '/other' })).status, 404)
})

test('a body that was read already is taken as its reader left it', async (t) => {
  const readers = [
    express.json(), express.text({ type: '*/*' }), express.raw({ type: '*/*' }),
    [express.json({ verify: (request, _, bytes) => (request.rawBody = bytes) })],
    [express.json(), (request, _response, next) => {
      request.rawBody = JSON.stringify(request.body)
      request.body = { token: 'changed by the host' }
      next()
    }],
    express.json({ limit: 100 }), // The body is longer: this reader refuses it.
    [express.urlencoded({ extended: true }), express.json()],
  ]
  for (const [at, reader] of readers.entries()) {
    const seen = []
    const { client, installation } = await served(t, (it) => {
      const { app, errors } = application(reader, handler(it, administrator))
      seen.push(errors)
      return app
    })
    const { status } = await client.ask(post())
    const isRefused = at === 5
    assert.deepEqual([status, seen[0].length], isRefused ? [500, 1] : [200, 0], String(at))
    assert.equal(installation.allows('reports'), !isRefused)
    assert.equal((await client.ask({ target: '/license' })).status, 200)
    assert.equal(client.sockets.size, 1)
  }
})

test('what a reader makes of a body that is no license is no license', async (t) => {
  const reader = express.json({ strict: false, limit: '1mb' })
  const { client, installation } = await served(t, (it) =>
    application(reader, express.urlencoded(), handler(it, administrator)).app)
  const bodies = ['{}', '[]', 'null', '7', '"x"', '', '{"token":{"toJSON":1}}', '{"token":null}']
  for (const body of bodies) {
    assert.equal((await client.ask(post(body))).status, 400, body)
    assert.equal((await client.ask(post(body === '' ? [] : [body]))).status, 400, body)
  }
  const long = JSON.stringify({ token: 'a'.repeat(LONG) })
  assert.equal((await client.ask(post(long))).status, 413)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  assert.equal((await client.ask(post(`token=${vendor.license()}`, form))).status, 415)
  assert.equal(installation.allows('reports'), false)
})

test('a body that is gone is an error that says what to do', async (t) => {
  const drain = (request, _response, next) => request.resume().on('end', next)
  const seen = []
  const { client, installation } = await served(t, (it) => {
    const { app, errors } = application(drain, handler(it, administrator))
    seen.push(errors)
    return app
  })
  assert.equal((await client.ask(post())).status, 500)
  assert.equal(seen[0][0].code, 'invalid_argument')
  assert.match(seen[0][0].message, /: mount the license API in front of it$/)
  assert.equal(installation.allows('reports'), false)
  // There was none to read.
  assert.equal((await client.ask(post(''))).status, 400)
})

test('a body that is too long is cut, and the next request is none of it', async (t) => {
  const { client, lengths, installation } = await served(t, (it) => handler(it, administrator))
  const piece = JSON.stringify(post()).padEnd(LONG / 4)
  const bodies = [' '.repeat(LONG + 1), Array(16).fill(piece), piece.repeat(200)]
  for (const body of bodies) {
    for (const target of [TOKEN, '/api/licensing/token/renew', '/api/license/assign']) {
      assert.equal((await client.ask({ ...post(body), target })).status, 413)
    }
    const stranger = await client.ask({ ...post(body), method: 'GET', target: '/license' })
    assert.equal(stranger.status, 200)
    assert.equal((await client.ask({ target: '/api/licensing/check' })).status, 200)
  }
  assert.equal(installation.allows('reports'), false)
  assert.equal((await client.ask(post())).status, 200)
  assert.ok(Math.max(...lengths) <= 2 * LONG, `${lengths}`)
})

test('a request that is not whole is answered, and its connection closed', async (t) => {
  const { port } = await served(t, (it) => handler(it, { caller: () => { throw new Error('no') } }))
  const head = `POST ${TOKEN} HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n`
  const warnings = warningsOf(t)
  const answer = await raw(port, head, '12345')
  assert.equal(warnings.length, 1)
  assert.match(answer, /^HTTP\/1\.1 500 (.*\r\n)*connection: close\r\n(.*\r\n)*\r\n$/i)
})

test('a body without an end is answered, and its connection closed', async (t) => {
  const { port } = await served(t, (it) => handler(it, administrator))
  const socket = net.connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  socket.write(`POST ${TOKEN} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n` +
    'transfer-encoding: chunked\r\n\r\n')
  const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('drain', more)
  more()
  const ended = new Promise((resolve) => socket.on('close', resolve))
  const first = await new Promise((resolve) => socket.once('data', resolve))
  assert.match(String(first), /^HTTP\/1\.1 413 (.*\r\n)*connection: close\r\n/i)
  await ended
})

test('what is too long is not kept', async () => {
  const waiting = { serves: () => true, handle: () => new Promise(() => {}) }
  const request = Object.assign(new Readable({ read() {} }), {
    method: 'POST', url: TOKEN, headers: {}, httpVersionMajor: 1, complete: false,
  })
  handler(waiting, administrator)(request, {})
  const pieces = []
  for (let at = 0; at < 100; at += 1) {
    const piece = Buffer.alloc(LONG / 2)
    pieces.push(new WeakRef(piece))
    request.push(piece)
    await new Promise(setImmediate)
  }
  collect()
  const kept = pieces.filter((piece) => piece.deref() !== undefined).length
  assert.ok(kept < 10, `${kept} pieces are kept`)
  assert.equal(request.readableFlowing, true)
})

test('who goes on after the answer is heard out, and then let go cleanly', async (t) => {
  const { port } = await served(t, (it) => handler(it, administrator))
  const socket = net.connect({ host: '127.0.0.1', port })
  const part = ' '.repeat(2 * LONG)
  socket.write(`POST ${TOKEN} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n` +
    `content-length: ${8 * part.length}\r\n\r\n${part}`)
  const answer = await new Promise((resolve) => socket.once('data', resolve))
  assert.match(String(answer), /^HTTP\/1\.1 413 (.*\r\n)*connection: close\r\n/i)
  for (let at = 1; at < 8; at += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    socket.write(part)
  }
  socket.resume()
  // An error, such as a reset, would be thrown here.
  await once(socket, 'end')
})

test('a sender that goes away changes nothing', async (t) => {
  let going = () => {}
  const caller = () => {
    going()
    return ADMINISTRATOR
  }
  const seen = []
  const { port, lengths, client, installation } = await served(t, (it) => {
    const { app, errors } = application(handler(it, { caller }))
    seen.push(errors)
    return app
  })
  const { body } = post()
  const head = `POST ${TOKEN} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\n\r\n`
  for (const part of ['', body.slice(0, 1), body.slice(0, -1)]) {
    for (const how of ['end', 'destroy', 'resetAndDestroy']) {
      const asked = new Promise((resolve) => (going = resolve))
      const socket = net.connect({ host: '127.0.0.1', port }, () => socket.write(head + part))
      socket.on('error', () => {})
      await asked
      socket[how]()
      socket.resume()
      await once(socket, 'close')
    }
  }
  assert.equal((await client.ask({ target: '/license' })).status, 200)
  assert.deepEqual([lengths, seen[0]], [[null], []])
  assert.equal(installation.allows('reports'), false)
})

test('a sender that goes away while the login is asked, or while it is answered', async (t) => {
  let [asked, go] = []
  const pause = () => {
    const waiting = new Promise((resolve) => (go = resolve))
    asked()
    return waiting
  }
  const late = (it) => ({ ...it, handle: (exchange) => pause().then(() => it.handle(exchange)) })
  const caller = (request) =>
    request.headers['x-slow'] === 'login' ? pause().then(() => ADMINISTRATOR) : ADMINISTRATOR
  const fast = (it) => ({ ...it, handle: it.handle })
  for (const [slow, wrap] of [['login', fast], ['handle', late]]) {
    const seen = []
    const { port, lengths } = await served(t, (it) => {
      const { app, errors } = application(handler(wrap(it), { caller }))
      seen.push(errors)
      return app
    })
    const reached = new Promise((resolve) => (asked = resolve))
    const { body, headers } = post(undefined, { 'x-slow': slow, 'content-length': 1000 })
    headers['content-length'] = body.length
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: TOKEN, headers })
    request.on('error', () => {})
    request.write(slow === 'login' ? body.slice(0, 9) : body)
    await reached
    request.destroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
    go()
    if (slow === 'handle') await until(() => lengths.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.deepEqual([seen[0], lengths.length], [[], slow === 'handle' ? 1 : 0])
  }
})

test('requests that come at once, or byte by byte, are answered in turn', async (t) => {
  const { port } = await served(t, (it) => handler(it, administrator))
  const { body } = post()
  const head = (method, target, more) =>
    `${method} ${target} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${more}\r\n`
  const all = head('GET', '/api/license', '') + head('HEAD', '/license', '') +
    head('POST', TOKEN, `content-length: ${body.length}\r\n`) + body +
    head('GET', '/nowhere', 'content-length: 3\r\n') + 'abc' +
    head('GET', '/api/licensing/check', 'connection: close\r\n')
  const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  const expected = ['200', '200', '200', '404', '200']
  const answers = await raw(port, all)
  assert.deepEqual(statuses(answers), expected)
  // They are looked at side by side: the last may not know of the third.
  assert.match(answers, /\r\n\r\n(true|false)$/)
  assert.deepEqual(statuses(await raw(port, ...all)), expected)
})

test('an answer that the host has sent by itself is the answer', async (t) => {
  const handled = []
  const impatient = (it) => (request, response) => {
    const handle = (exchange) => {
      response.writeHead(503).end('late')
      handled.push(it.handle(exchange))
      return handled.at(-1)
    }
    handler({ ...it, handle }, administrator)(request, response)
  }
  const { client } = await served(t, impatient)
  for (let at = 0; at < 3; at += 1) {
    const { status, body } = await client.ask(post())
    assert.deepEqual([status, String(body)], [503, 'late'])
  }
  assert.equal((await Promise.all(handled)).length, 3)
})

test('headers are taken as they were sent, with those that the host has added', async (t) => {
  const id = (request, _response, next) => {
    request.headers['x-request-id'] ??= 'given-by-the-host'
    next()
  }
  const { port, client } = await served(t, (it) => application(id, handler(it, administrator)).app)
  const requestId = async (headers) =>
    JSON.parse((await client.ask({ method: 'PUT', target: TOKEN, headers })).body).requestId
  assert.equal(await requestId({}), 'given-by-the-host')
  assert.equal(await requestId({ 'X-Request-Id': 'sent' }), 'sent')
  // Node keeps the first of two, which a parser before or behind it may not.
  const { body } = post()
  const twice = await raw(port, `POST ${TOKEN} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n` +
    `content-type: application/json\r\ncontent-type: text/plain\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`)
  assert.match(twice, /^HTTP\/1\.1 415 /)
})

test('a proxy may send the whole URL', async (t) => {
  const { client, installation } = await served(t, (it) => handler(it, administrator))
  for (const at of ['http://play.acme.example', 'https://a:8443']) {
    const { status } = await client.ask({ ...post(), target: at + TOKEN })
    assert.equal(status, 200)
  }
  assert.equal(installation.allows('reports'), true)
  assert.equal((await client.ask({ target: `/api/license?${'a'.repeat(9000)}` })).status, 414)
  assert.equal((await client.ask({ method: 'OPTIONS', target: '*' })).status, 404)
})

test('in an Express application below a path, only what is there is ours', async (t) => {
  for (const site of [{}, { mount: '/x' }]) {
    const { client } = await served(t, (it) => {
      const { app } = application('/x', handler(it, administrator))
      return app
    }, site)
    assert.equal((await client.ask({ target: '/x/license' })).status, 200)
    for (const target of ['/license', '/x', '/x/', '/x/y/license', '/xlicense', '/y/license']) {
      assert.equal(String((await client.ask({ target })).body), 'next', target)
    }
  }
})

test('over HTTP/2 it is the same', async (t) => {
  const it = counted(t)
  const server = http2.createServer(handler(it, administrator))
  const port = await serve(t, server)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.after(() => session.destroy())
  const ask = async (headers, body) => {
    const stream = session.request(headers)
    stream.end(body)
    const [answer] = await once(stream, 'response')
    return { status: answer[':status'], headers: answer, body: String(await buffer(stream)) }
  }
  const { headers, body } = post()
  const sent = { ...headers, ':method': 'POST', ':path': TOKEN }
  const own = `http://127.0.0.1:${port}`
  assert.equal((await ask({ ...sent, origin: 'http://other.example' }, body)).status, 403)
  assert.equal((await ask(sent, ' '.repeat(LONG + 1))).status, 413)
  assert.equal(it.installation.allows('reports'), false)
  assert.equal((await ask({ ...sent, origin: own }, body)).status, 200)
  assert.equal(it.installation.allows('reports'), true)
  const page = await ask({ ':path': '/license' })
  const head = await ask({ ':method': 'HEAD', ':path': '/license' })
  assert.deepEqual([head.status, head.body], [200, ''])
  assert.equal(head.headers['content-length'], String(Buffer.byteLength(page.body)))
  assert.equal((await ask({ ':path': '/nowhere' })).status, 404)

  let last
  server.on('stream', (stream) => (last = stream))
  const endless = session.request(sent)
  endless.on('error', () => {}).write(' '.repeat(2 * LONG))
  const [refused] = await once(endless, 'response')
  assert.equal(refused[':status'], 413)
  await until(() => last.destroyed)
})
