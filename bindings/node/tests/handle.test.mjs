// One HTTP request in, its answer out: what `handle` and `serves` take, and what they refuse.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { Product } from '../index.mjs'
import { emptyFolder } from './folder.mjs'
import { NOW, stranger, vendor } from './vendor.mjs'

const invalid = { name: 'TypeError', code: 'invalid_argument' }
const JSON_TYPE = { 'content-type': 'application/json' }
const BODY_MAX = 128 * 1024
const ADMINISTRATOR = { name: 'ada', rights: ['read', 'write', 'delete'] }
const TOKEN = '/api/licensing/token'
const SITE = { instance: 'https://play.acme.example' }

function opened(t, site = SITE, folder = emptyFolder(t)) {
  return new Product('myapp', vendor.keys(), { clock: NOW }).open(folder, site)
}

/** A POST of an administrator with a license. */
function post(license, more = {}) {
  const body = JSON.stringify({ token: license })
  return { method: 'POST', target: TOKEN, headers: JSON_TYPE, body, caller: ADMINISTRATOR, ...more }
}

const said = ({ body }) => JSON.parse(body.toString())
const statusOf = async (installation, exchange) => (await installation.handle(exchange)).status

test('an answer is a status, headers and bytes', async (t) => {
  const installation = opened(t)
  const answer = await installation.handle({ method: 'GET', target: '/api/license' })
  assert.deepEqual(Object.keys(answer), ['status', 'headers', 'body'])
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.ok(Buffer.isBuffer(answer.body))
  assert.equal(typeof said(answer), 'object')
  const head = await installation.handle({ method: 'HEAD', target: '/api/license' })
  assert.deepEqual(head, { ...answer, body: Buffer.alloc(0) })
  const refused = await installation.handle({ method: 'PUT', target: '/api/license' })
  assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET, HEAD'])
})

test('what a license changes is known here at once', async (t) => {
  const installation = opened(t)
  assert.equal(installation.allows('reports'), false)
  assert.equal(await statusOf(installation, post(vendor.license())), 200)
  assert.equal(installation.allows('reports'), true)
  const removal = { ...post(), method: 'DELETE', body: JSON.stringify(SITE) }
  assert.equal(await statusOf(installation, removal), 202)
  assert.equal(installation.allows('reports'), false)
})

test('who may do what is what the caller says, and no caller may', async (t) => {
  const installation = opened(t)
  const status = (caller, exchange) => statusOf(installation, { ...exchange, caller })
  const check = { method: 'GET', target: '/api/licensing/check' }
  const request = { method: 'GET', target: '/api/license/request' }
  const apply = post(vendor.license())
  const table = [
    [undefined, 401, 401, 401], [null, 401, 401, 401],
    [{ name: 'a' }, 403, 403, 403], [{ name: 'a', rights: undefined }, 403, 403, 403],
    [{ name: 'a', rights: [] }, 403, 403, 403],
    [{ name: 'a', rights: ['read', 'read'] }, 200, 403, 403],
    [{ name: 'a', rights: ['write'] }, 403, 403, 200],
    [{ name: 'a', rights: ['delete'] }, 403, 403, 403],
    [{ ...ADMINISTRATOR, service: true }, 403, 200, 403],
    [{ ...ADMINISTRATOR, service: false }, 200, 200, 200],
  ]
  for (const [caller, ...expected] of table) {
    const seen = []
    for (const exchange of [check, request, apply]) seen.push(await status(caller, exchange))
    assert.deepEqual(seen, expected, JSON.stringify(caller))
  }
})

test('a slip in who is asking is refused, and grants nothing', async (t) => {
  const installation = opened(t)
  const slips = [
    { name: 'a', right: ['read'] }, { name: 'a', rights: ['read'], admin: true },
    { name: 'a', rights: ['delet'] }, { name: 'a', rights: ['Read'] }, { name: 'a', rights: [''] },
    { name: 'a', rights: ['toString'] }, { name: 'a', rights: ['__proto__'] },
    { name: 'a', rights: [7] }, { name: 'a', rights: [null] }, { name: 'a', rights: [,] },
    { name: 'a', rights: 'read' }, { name: 'a', rights: 7 }, { name: 'a', rights: null },
    { name: 'a', rights: new Set(['read']) }, { name: 'a', rights: { read: true } },
    { name: 'a', service: 1 }, { name: 'a', service: 'no' }, { name: 'a', service: null },
    { rights: ['read'] }, { name: 7 }, { name: null }, {}, [], ['a'], 'ada', 7, true, false, '',
    new (class { name = 'a' })(), new Map([['name', 'a']]), () => ADMINISTRATOR,
    Promise.resolve(ADMINISTRATOR), Object.assign(Object.create(ADMINISTRATOR), { rights: [] }),
  ]
  for (const caller of slips) {
    await assert.rejects(installation.handle(post(vendor.license(), { caller })), invalid)
  }
  for (const name of ['', 'a\n', '\0', 'a'.repeat(257), 'é'.repeat(129)]) {
    const caller = { ...ADMINISTRATOR, name }
    const refused = { name: 'Error', code: 'invalid_argument' }
    await assert.rejects(installation.handle(post(vendor.license(), { caller })), refused)
  }
  assert.equal(installation.allows('reports'), false)
  const caller = { ...ADMINISTRATOR, name: 'é'.repeat(128) }
  assert.equal(await statusOf(installation, post(vendor.license(), { caller })), 200)
})

test('what is no request is refused, and says where it came from', async (t) => {
  const installation = opened(t)
  const slips = [
    undefined, null, 'GET', 7, [], new Map(), {}, { method: 'GET' }, { target: '/api/license' },
    { method: 'GET', path: '/api/license' }, { method: 'GET', target: '/', url: '/' },
    { method: 7, target: '/' }, { method: 'GET', target: new URL('http://a/') },
    { method: 'GET', target: '/', headers: null }, { method: 'GET', target: '/', headers: 'a: b' },
    { method: 'GET', target: '/', headers: ['a', 'b'] },
    { method: 'GET', target: '/', headers: ['ab'] },
    { method: 'GET', target: '/', headers: [['a', 'b', 'c']] },
    { method: 'GET', target: '/', headers: { a: 7 } },
    { method: 'GET', target: '/', headers: { a: null } },
    { method: 'GET', target: '/', headers: { a: ['b', 7] } },
    { method: 'GET', target: '/', headers: [[7, 'b']] },
    { method: 'GET', target: '/', headers: new Map([['a', {}]]) },
    { method: 'GET', target: '/', body: {} }, { method: 'GET', target: '/', body: 7 },
    { method: 'GET', target: '/', body: [1, 2] },
    { method: 'GET', target: '/', body: new Blob([]) },
    { method: 'GET', target: '/', body: new ArrayBuffer(8) },
  ]
  for (const slip of slips) {
    await assert.rejects(installation.handle(slip), (error) => {
      assert.deepEqual([error.name, error.code], ['TypeError', 'invalid_argument'])
      assert.match(error.stack, /handle\.test\.mjs/)
      return true
    }, JSON.stringify(slip))
  }
  await assert.rejects(installation.handle({ method: 'GET', target: '/', querry: '' }), {
    message: 'the exchange has no member querry, only method, target, headers, body, caller: ' +
      'correct the call',
  })
  for (const [method, target] of [['', '/'], ['G T', '/'], ['GET', ''], ['GET', 'api'],
    ['GET', '/a b'], ['GET', '/\0'], ['é', '/']]) {
    const refused = { name: 'Error', code: 'invalid_argument' }
    await assert.rejects(installation.handle({ method, target }), refused, `${method} ${target}`)
  }
})

test('headers may be in any form that they come in', async (t) => {
  const installation = opened(t)
  const forms = [
    JSON_TYPE, { 'Content-Type': 'application/json' }, { 'CONTENT-TYPE': ['application/json'] },
    { __proto__: null, ...JSON_TYPE }, new Map(Object.entries(JSON_TYPE)), new Headers(JSON_TYPE),
    Object.entries(JSON_TYPE), [['Content-Type', ['application/json', 'application/json']]],
    new Headers(JSON_TYPE).entries(), { ...JSON_TYPE, 'x-other': undefined, 'set-cookie': [] },
    { 'content-type': 'application/json; charset=utf-8' },
    { ...JSON_TYPE, 'x-long': 'a'.repeat(1 << 20) },
  ]
  for (const headers of forms) {
    const { status } = await installation.handle(post(vendor.license(), { headers }))
    assert.equal(status, 200, JSON.stringify(headers))
  }
  const others = [
    {}, undefined, [], new Map(), { 'content-type': 'text/plain' }, { 'content-type': undefined },
    { 'content-type': ['application/json', 'text/plain'] },
    [['content-type', 'application/json'], ['Content-Type', 'text/plain']],
    { ...JSON_TYPE, 'content-encoding': 'gzip' }, Object.create(JSON_TYPE, {}),
  ]
  for (const headers of others.slice(0, -1)) {
    const { status } = await installation.handle(post(vendor.license(), { headers }))
    assert.equal(status, 415, JSON.stringify(headers))
  }
  // What is in a prototype would be passed over.
  await assert.rejects(installation.handle(post('', { headers: others.at(-1) })), invalid)
})

test('a body is text or bytes, and may be overwritten as soon as it was given', async (t) => {
  const installation = opened(t)
  const text = (at) => post(vendor.license({ serial: `S${at}` }, { iat: NOW + at })).body
  const forms = [(it) => it, Buffer.from, (it) => new Uint8Array(Buffer.from(it)), shared,
    (it) => Buffer.concat([Buffer.alloc(9), Buffer.from(it), Buffer.alloc(9)]).subarray(9, -9)]
  for (const [at, form] of forms.entries()) {
    const body = form(text(at))
    const handled = installation.handle(post('', { body }))
    if (typeof body !== 'string') body.fill(0)
    assert.equal((await handled).status, 200)
    assert.equal(installation.status().license.serial, `S${at}`)
  }
  for (const body of ['', null, undefined, new Uint8Array()]) {
    assert.equal(await statusOf(installation, post('', { body })), 400)
  }
  const gone = new Uint8Array(8)
  structuredClone(gone, { transfer: [gone.buffer] })
  await assert.rejects(installation.handle(post('', { body: gone })), invalid)
})

function shared(text) {
  const bytes = new Uint8Array(new SharedArrayBuffer(text.length))
  bytes.set(Buffer.from(text))
  return bytes
}

test('a body of 128 KiB is read, and one byte more is not', async (t) => {
  const installation = opened(t)
  const body = post(vendor.license()).body
  const padded = (length) => body + ' '.repeat(length - body.length)
  assert.equal(await statusOf(installation, post('', { body: padded(BODY_MAX + 1) })), 413)
  assert.equal(installation.allows('reports'), false)
  for (const long of [padded(1 << 24), Buffer.alloc(1 << 24, ' '), 'é'.repeat(BODY_MAX / 2 + 1)]) {
    assert.equal(await statusOf(installation, post('', { body: long })), 413)
  }
  assert.equal(await statusOf(installation, post('', { body: padded(BODY_MAX) })), 200)
})

test('what is wrong with a request is an answer', async (t) => {
  const folder = emptyFolder(t)
  const installation = opened(t, SITE, folder)
  await installation.apply(vendor.license())
  const before = JSON.stringify(installation.status())
  const bodies = ['', '{', '[]', 'null', '{"token":7}', '\xff', Buffer.from([0xff, 0xfe]), '{}',
    ...[stranger.license(), 'x', ''].map((token) => JSON.stringify({ token }))]
  for (const body of bodies) {
    assert.equal(await statusOf(installation, post('', { body })), 400, String(body))
  }
  const long = { method: 'GET', target: `/api/license?${'a'.repeat(9000)}` }
  assert.equal(await statusOf(installation, long), 414)
  assert.equal(await statusOf(installation, { method: 'GET', target: '/nowhere' }), 404)
  assert.equal(JSON.stringify(installation.status()), before)
  rmSync(folder, { recursive: true })
  const { status, headers } = await installation.handle(post(vendor.license({}, { iat: NOW + 1 })))
  assert.ok(status >= 500, String(status))
  assert.equal(headers['cache-control'], 'no-store')
})

test('it knows which paths are its own', (t) => {
  const installation = opened(t)
  const paths = ['/api/license', '/api/license?a=b', '/api/license/request', '/license', TOKEN,
    'http://a.example/api/license', '/api/license#x']
  const others = ['', '/', '*', '/api', '/api/license/', '/API/license', '/api/licenses', '?',
    '//api/license', '/x/api/license', '/api/%6cicense', 'api/license', '/é', 'a'.repeat(1 << 20)]
  for (const target of paths) assert.equal(installation.serves(target), true, target)
  for (const target of others) assert.equal(installation.serves(target), false, target)
  for (const bad of [undefined, null, 7, {}, new URL('http://a/license')]) {
    assert.throws(() => installation.serves(bad), invalid)
  }
  installation.set('mount', '/admin')
  assert.deepEqual(['/admin/license', '/license'].map((it) => installation.serves(it)),
    [true, false])
})

test('the loop goes on while a request waits for the disk', async (t) => {
  const folder = emptyFolder(t)
  const installation = opened(t, SITE, folder)
  await installation.apply(vendor.license())
  // Another process holds the lock until this one has turned a hundred times.
  const lock = [path.join(folder, 'lock'), 'sh', '-c', 'echo held; cat']
  const holder = spawn('flock', lock, { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  let answered = false
  const handled = installation.handle(post(vendor.license({}, { iat: NOW + 1 })))
  handled.finally(() => (answered = true))
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate)
  assert.equal(answered, false)
  assert.equal(installation.allows('reports'), true)
  holder.stdin.end()
  assert.equal((await handled).status, 200)
})

test('many at once are each answered with their own', async (t) => {
  const installation = opened(t)
  const asked = Array.from({ length: 300 }, async (_, at) => {
    const headers = { 'x-request-id': `id-${at}` }
    const answer = await installation.handle({ method: 'GET', target: `/n/${at}`, headers })
    assert.deepEqual([said(answer).requestId, said(answer).instance], [`id-${at}`, `/n/${at}`])
  })
  await Promise.all(asked)
})
