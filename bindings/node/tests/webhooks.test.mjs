// Webhooks as Node receives them: the vectors that every language answers, and each event once.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Receiver, verify, verifySignature } from 'licentia/webhooks'

const VECTORS = new URL('../../../tests/vectors/webhooks.json', import.meta.url)
const EXAMPLE = fileURLToPath(new URL('../../../examples/node/webhook.mjs', import.meta.url))
const { cases } = JSON.parse(readFileSync(VECTORS, 'utf8'))

const KEY = Buffer.from('0123456789abcdef0123456789abcdef')
const SECRET = `whsec_${KEY.toString('base64')}`
const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const DATA = { id: 'lic_1', seats: 5 }
const BODY = JSON.stringify({
  id: 'evt_1', type: 'license.created', created_at: '2026-01-02T03:04:05Z', data: DATA,
})
const now = () => Math.floor(Date.now() / 1000)

/** The headers of a webhook, signed by the standard alone. */
function signed(body = BODY, { id = 'evt_1', at = now(), key = KEY } = {}) {
  const mac = createHmac('sha256', key).update(`${id}.${at}.`).update(body).digest('base64')
  return {
    'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${mac}`,
  }
}

function word(call) {
  try {
    call()
    return 'ok'
  } catch (error) {
    return error.code
  }
}

test('every vector has the answer that every language gives', () => {
  for (const { name, body, body_base64: base64, headers, secrets, now, expect } of cases) {
    const data = base64 === undefined ? Buffer.from(body) : Buffer.from(base64, 'base64')
    assert.equal(word(() => verifySignature(data, headers, secrets, { now })), expect, name)
    if (expect === 'ok') continue
    assert.equal(word(() => verify(data, headers, secrets, { now })), expect, name)
  }
  assert.ok(cases.length >= 60)
})

test('an event is what was sent', () => {
  const at = now()
  const wanted = {
    id: 'evt_1', type: 'license.created', createdAt: new Date('2026-01-02T03:04:05Z'),
    data: DATA, sentAt: new Date(at * 1000),
  }
  const headers = signed(BODY, { at })
  for (const body of [BODY, Buffer.from(BODY), new Uint8Array(Buffer.from(BODY))]) {
    assert.deepEqual(verify(body, headers, [OTHER, SECRET]), wanted)
  }
  const event = verify(BODY, headers, SECRET)
  assert.throws(() => { event.id = 'evt_2' }, TypeError)
  assert.deepEqual(verifySignature(BODY, headers, SECRET), wanted.sentAt)
  const later = { now: new Date((at + 300) * 1000) }
  assert.deepEqual(verifySignature(BODY, headers, SECRET, later), wanted.sentAt)
  assert.equal(word(() => verify(BODY, headers, SECRET, { now: at + 301 })), 'bad_timestamp')
})

test('headers are taken as hosts have them', () => {
  const headers = signed()
  const pairs = Object.entries(headers)
  const distinct = Object.fromEntries(pairs.map(([name, value]) => [name, [value]]))
  for (const given of [headers, pairs, new Map(pairs), new Headers(headers), distinct]) {
    assert.equal(verify(BODY, given, SECRET).id, 'evt_1')
  }
  const twice = [...pairs, ['Webhook-Id', 'evt_1']]
  assert.equal(word(() => verify(BODY, twice, SECRET)), 'malformed')
  // As Node joins what is there twice.
  const joined = { ...headers, 'webhook-id': 'evt_1, evt_1' }
  assert.equal(word(() => verify(BODY, joined, SECRET)), 'malformed')
})

test('what is signed and no event is malformed', () => {
  const bad = [
    '', '[]', '1', 'null', '{}', '{"type": 1}', '{"type": "a", "data": []}',
    '{"type": "a", "data": null}', '{"type": "a", "created_at": "soon"}', Buffer.from([0xff]),
  ]
  for (const body of bad) {
    const headers = signed(body)
    assert.equal(word(() => verifySignature(body, headers, SECRET)), 'ok')
    assert.equal(word(() => verify(body, headers, SECRET)), 'malformed', String(body))
  }
  const bare = '{"type": "a.b"}'
  assert.equal(verify(bare, signed(bare), SECRET).createdAt, null)
})

test('wrong calls are refused, and no secret is told', () => {
  const headers = signed()
  const wrong = [
    () => verify(BODY, headers, []),
    () => verify(BODY, headers),
    () => verify(BODY, headers, KEY),
    () => verify(BODY, headers, SECRET, { at: 5 }),
    () => verify(BODY, headers, SECRET, { now: 'soon' }),
    () => verify({ id: 1 }, headers, SECRET),
    () => verify(BODY, null, SECRET),
    () => verify(BODY, 'webhook-id: 1', SECRET),
    () => new Receiver(),
    () => new Receiver([]),
    () => new Receiver([SECRET, 'whsec_']),
    () => new Receiver(SECRET, { window: 10 }),
    () => new Receiver(SECRET, { limit: 0 }),
    () => new Receiver(SECRET.slice(0, -16)),
  ]
  for (const call of wrong) {
    assert.throws(call, (error) => {
      assert.equal(error.code, 'invalid_argument', String(call))
      assert.ok(!error.message.includes(SECRET.slice(6, 20)), error.message)
      return true
    })
  }
  assert.ok(!JSON.stringify(new Receiver(SECRET)).includes(SECRET))
  const large = Buffer.alloc(1024 * 1024 + 1)
  assert.equal(word(() => verifySignature(large, signed(large), SECRET)), 'too_large')
})

test('an event is processed once', async () => {
  const receiver = new Receiver([SECRET])
  const result = await receiver.process(BODY, signed(), async (event) => {
    // It is here twice at this moment: the second is to come again.
    await assert.rejects(receiver.process(BODY, signed(), assert.fail), { code: 'busy' })
    return event.id
  })
  assert.equal(result, 'evt_1')
  for (const at of [now(), now() + 60]) {
    const again = receiver.process(BODY, signed(BODY, { at }), assert.fail)
    await assert.rejects(again, { code: 'already_used' })
  }
  receiver.forget('evt_1')
  assert.equal(await receiver.process(BODY, signed(), () => 5), 5)
})

test('what failed is processed again, and what is forged uses no id up', async () => {
  const receiver = new Receiver(SECRET)
  const away = new Error('the database is away')
  const fail = async () => { throw away }
  await assert.rejects(receiver.process(BODY, signed(), fail), away)
  await assert.rejects(receiver.process(BODY, signed(), () => { throw away }), away)
  for (const headers of [signed(`${BODY} `), signed(BODY, { at: now() - 400 })]) {
    await assert.rejects(receiver.process(BODY, headers, assert.fail))
  }
  assert.equal(await receiver.process(BODY, signed(), ({ id }) => id), 'evt_1')
})

test('ids are forgotten at the end of the window and over the limit', async (t) => {
  let passed = 0
  t.mock.method(performance, 'now', () => passed)
  const receiver = new Receiver(SECRET, { window: 600, limit: 2 })
  const state = async (id) => {
    const done = receiver.process(BODY, signed(BODY, { id }), () => 'ok')
    return await done.catch(({ code }) => code)
  }
  assert.deepEqual([await state('evt_1'), await state('evt_1')], ['ok', 'already_used'])
  passed += 600_000
  assert.equal(await state('evt_1'), 'already_used')
  passed += 1
  assert.equal(await state('evt_1'), 'ok')
  const states = []
  for (const at of [2, 3, 4, 4, 1]) states.push(await state(`evt_${at}`))
  assert.deepEqual(states, ['ok', 'ok', 'ok', 'already_used', 'ok'])
})

test('the example takes each event once', async (t) => {
  const child = spawn(process.execPath, [EXAMPLE, '0', OTHER, SECRET])
  t.after(() => child.kill())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => (await lines.next()).value
  const url = await next()
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/)
  const post = async (body, headers) => {
    const answer = await fetch(url, { method: 'POST', body, headers })
    await answer.arrayBuffer()
    return answer.status
  }
  assert.equal(await post(BODY, signed()), 204)
  assert.equal(await post(BODY, signed()), 204)
  assert.equal(await post(`${BODY} `, signed()), 400)
  assert.equal(await post(BODY, signed(BODY, { at: now() - 360 })), 400)
  assert.equal(await post(BODY, {}), 400)
  assert.equal(await post(BODY, signed(BODY, { id: 'evt_2' })), 204)
  const told = [JSON.parse(await next()), JSON.parse(await next())]
  assert.deepEqual(told.map(({ id }) => id), ['evt_1', 'evt_2'])
  assert.deepEqual(told[0].data, DATA)
  child.kill()
  await once(child, 'exit')
})
