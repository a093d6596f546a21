// What an installation asks on line, of a server that this process is: what it makes of answers, of
// none, and of what is none, and who waits for it meanwhile.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { Product, Seat } from '../index.mjs'
import { emptyFolder } from './folder.mjs'
import { Issuer, silent } from './issuer.mjs'
import { serve } from './servers.mjs'
import { NOW, stranger, vendor } from './vendor.mjs'

const invalid = { name: 'TypeError', code: 'invalid_argument' }

/** A server, and an installation that asks it, with a license where one is given. */
async function online(t, license = vendor.license()) {
  const issuer = await Issuer.start(t)
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const installation = product.open(emptyFolder(t), issuer.settings)
  if (license !== null) await installation.apply(license)
  return { issuer, product, installation }
}

/** Waits until it is so, however long this machine takes. */
async function until(holds) {
  for (let at = 0; !holds(); at += 1) {
    assert.ok(at < 3000, `it is never so: ${holds}`)
    await sleep(10)
  }
}

/** Whether a promise was kept or broken by now. */
function watch(promise) {
  const seen = { over: false }
  const over = () => { seen.over = true }
  promise.then(over, over)
  return seen
}

test('a call activates, renews and frees, and the next question knows of it', async (t) => {
  const { issuer, installation } = await online(t, null)
  assert.equal(installation.allows('reports'), false)
  issuer.changes = { license: [vendor.license()] }
  assert.equal(await installation.call('activation', 'ABCD-EFGH-4711'), undefined)
  assert.equal(issuer.requests[0].key, 'ABCD-EFGH-4711')
  assert.equal(installation.allows('reports'), true)

  const more = vendor.license({ features: [{ id: 'extra' }] }, { iat: NOW + 1 })
  issuer.changes = { license: [more] }
  assert.equal(installation.allows('extra'), false)
  await installation.call('renewal')
  assert.equal(installation.allows('extra'), true)
  issuer.changes = {}
  await installation.call('deactivation')
  assert.equal(installation.allows('extra'), false)
  assert.deepEqual(issuer.asked, ['activation', 'renewal', 'deactivation'])
})

test('a sync reports what was used, and brings what the vendor says', async (t) => {
  const { issuer, installation } = await online(t)
  await installation.record('exports', 7)
  assert.equal(await installation.sync(), undefined)
  assert.match(JSON.stringify(issuer.requests[0]), /"exports"/)
  assert.equal(installation.status().issuer.last_contact, NOW)
  assert.equal(installation.allows('reports'), true)
  issuer.changes = { status: 'revoked' }
  await installation.call('sync')
  assert.equal(installation.allows('reports'), false)
  assert.equal(installation.status().reason, 'revoked')
})

test('what another way of this installation has changed is known at once', async (t) => {
  const { issuer, product, installation } = await online(t)
  // The clock stands still, and the second of an answer with it.
  assert.equal(installation.allows('reports'), true)
  issuer.changes = { status: 'revoked' }
  await installation.sync()
  assert.deepEqual([installation.allows('reports'), installation.access('reports')],
    [false, 'deny'])
  product.set('clock', 'system')
  product.set('clock', NOW)
  issuer.changes = { status: 'ok' }
  await installation.sync()
  assert.equal(installation.allows('reports'), true)
})

test('a seat is taken, renewed, and given back', async (t) => {
  const { issuer, product, installation } = await online(t)
  const seat = await installation.seat(' ann ')
  assert.ok(seat instanceof Seat)
  assert.deepEqual([seat.holder, seat.held], ['ann', true])
  assert.deepEqual(seat.expires, new Date((NOW + 3600) * 1000))
  product.set('clock', NOW + 1800)
  issuer.now = () => NOW + 1800
  assert.equal(await seat.renew(), undefined)
  assert.deepEqual(seat.expires, new Date((NOW + 5400) * 1000))
  product.set('clock', NOW + 5399)
  assert.equal(seat.held, true)
  product.set('clock', NOW + 5400)
  assert.deepEqual([seat.held, seat.expires], [false, null])

  issuer.now = () => NOW + 5400
  const again = await installation.seat('ann', { borrowDays: undefined })
  assert.equal(await again.release(), undefined)
  assert.deepEqual([again.held, seat.held], [false, false])
  await again.release()
  assert.deepEqual(issuer.asked, ['seat', 'seat', 'seat', 'release'])
})

test('a seat is borrowed for days', async (t) => {
  const { issuer, product, installation } = await online(t)
  issuer.changes = { exp: NOW + 30 * 86_400 }
  const seat = await installation.seat('Zo\u00eb', { borrowDays: 30 })
  assert.deepEqual(issuer.requests[0].seat, { holder: 'Zo\u00eb', days: 30 })
  product.set('clock', NOW + 29 * 86_400)
  assert.equal(seat.held, true)
})

test('a seat that is held is given without the server, and no other', async (t) => {
  const { issuer, installation } = await online(t)
  await installation.seat('ann')
  issuer.instead = [503, '']
  const seat = await installation.seat('ann')
  assert.equal(seat.held, true)
  await assert.rejects(seat.renew(), { code: 'unreachable' })
  assert.equal(seat.held, true)
  await assert.rejects(installation.seat('bob'), { code: 'unreachable' })
  await assert.rejects(seat.release(), { code: 'unreachable' })
  assert.equal(seat.held, true)
})

test('where every seat is taken it says so, in the words of the server', async (t) => {
  const { issuer, installation } = await online(t)
  const detail = 'all 5 seats are taken until 12:00: wait, or buy more'
  issuer.instead = [409, { code: 'no_seat', detail }]
  await assert.rejects(installation.seat('ann'), (error) => {
    assert.deepEqual([error.constructor, error.code], [Error, 'no_seat'])
    assert.ok(error.message.includes(detail), error.message)
    assert.match(error.stack, /online\.test\.mjs/)
    return true
  })
  assert.equal(installation.allows('reports'), true)
})

test('a seat ends with its block', async (t) => {
  if (Symbol.asyncDispose === undefined) return t.skip('this Node has no Symbol.asyncDispose')
  const { issuer, installation } = await online(t)
  const seat = await installation.seat('ann')
  issuer.instead = [503, '']
  await seat[Symbol.asyncDispose]()
  assert.equal(seat.held, true, 'its lease ends by itself')
  issuer.instead = [409, { code: 'revoked', detail: 'no' }]
  await assert.rejects(seat[Symbol.asyncDispose](), { code: 'refused' })
  issuer.instead = null
  await seat[Symbol.asyncDispose]()
  assert.equal(seat.held, false)
  assert.deepEqual(issuer.asked, ['seat', 'release', 'release', 'release'])
})

test('nobody else makes a seat, or changes one by accident', async (t) => {
  const { installation } = await online(t)
  const seat = await installation.seat('ann')
  assert.throws(() => new Seat(), invalid)
  assert.throws(() => new Seat(Symbol('given'), {}, () => {}), invalid)
  const yes = { value: true }
  const changes = [() => (seat.held = true), () => Object.defineProperty(seat, 'held', yes),
    () => Object.defineProperty(Seat.prototype, 'held', yes),
    () => Object.setPrototypeOf(seat, { held: true })]
  for (const change of changes) assert.throws(change, TypeError)
  assert.deepEqual(Reflect.ownKeys(seat), [])
  await assert.rejects(Seat.prototype.renew.call({}), TypeError)
})

test('what a call cannot take is refused, and nobody is asked', async (t) => {
  const { issuer, installation } = await online(t)
  for (const bad of [undefined, null, 1, {}, [], true, Symbol('sync')]) {
    await assert.rejects(installation.call(bad), invalid)
    await assert.rejects(installation.seat(bad), invalid)
    if (bad !== undefined) await assert.rejects(installation.call('activation', bad), invalid)
  }
  for (const bad of [null, true, 30, [], new Map(), { days: 30 }, { borrowDays: '30' },
    { borrowDays: -1 }, { borrowDays: 0.5 }, { borrowDays: NaN }, { borrowDays: 30n }]) {
    await assert.rejects(installation.seat('ann', bad), invalid)
  }
  // 2^32 is not 0, and no other number is another one.
  for (const borrowDays of [367, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
    const refused = { name: 'Error', code: 'invalid_argument' }
    await assert.rejects(installation.seat('ann', { borrowDays }), refused)
  }
  for (const [what, argument] of [['', undefined], ['synch', undefined], ['sync', 'ann'],
    ['seat', undefined], ['borrow', 'ann']]) {
    await assert.rejects(installation.call(what, argument), { code: 'invalid_argument' }, what)
  }
  for (const holder of ['', ' ', 'a\tb', 'a'.repeat(129)]) {
    await assert.rejects(installation.seat(holder), { code: 'invalid_argument' })
  }
  assert.deepEqual(issuer.asked, [])
})

test('without a server there is nobody to ask', async (t) => {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const installation = product.open(emptyFolder(t), { license: vendor.license() })
  for (const call of [() => installation.sync(), () => installation.call('renewal'),
    () => installation.seat('ann'), () => installation.call('activation', 'ABCD-EFGH-4711')]) {
    await assert.rejects(call, { code: 'no_transport' })
  }
  assert.equal(installation.allows('reports'), true)
})

test('the servers of a product are asked in turn, unless the site names its own', async (t) => {
  const issuer = await Issuer.start(t)
  const server = [`http://127.0.0.1:${await closed()}`, issuer.url]
  const product = new Product('myapp', vendor.keys(), { clock: NOW, server })
  const installation = product.open(emptyFolder(t), { proxy: 'none', license: vendor.license() })
  await installation.sync()
  assert.deepEqual(issuer.asked, ['sync'])
  installation.set('server', server[0])
  await assert.rejects(installation.sync(), { code: 'unreachable' })
  installation.set('server', [])
  await installation.sync()
})

test('a server with a certificate of its own is asked where that is trusted', async (t) => {
  const folder = emptyFolder(t)
  const [keyFile, certificate] = ['key.pem', 'ca.pem'].map((name) => path.join(folder, name))
  const { error } = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile, '-out', certificate, '-days', '2',
    '-subj', '/CN=licenses', '-addext', 'subjectAltName=IP:127.0.0.1', '-addext',
    'basicConstraints=critical,CA:FALSE'])
  if (error) return t.skip('there is no openssl here')
  const [key, cert] = [keyFile, certificate].map((file) => readFileSync(file))
  const issuer = await Issuer.start(t, { key, cert })
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const installation = product.open(emptyFolder(t), issuer.settings)
  await installation.apply(vendor.license())
  await assert.rejects(installation.sync(), (error) => {
    assert.equal(error.code, 'unreachable')
    assert.match(error.message, /certificate/i)
    return true
  })
  assert.deepEqual([issuer.asked, installation.allows('reports')], [[], true])
  installation.set('serverCa', certificate)
  await installation.sync()
  assert.deepEqual(issuer.asked, ['sync'])
})

/** A port that nobody listens on. */
async function closed() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('that a server is not reached is no bad license', async (t) => {
  const { issuer, installation } = await online(t)
  const login = '<html>Sign in to the airport</html>'
  const bad = [[503, ''], [502, login], [200, login], [200, { answer: 7 }], [200, ''], [407, ''],
    [429, { code: 'too_many_requests', detail: 'later' }], [302, '', { location: issuer.url }],
    [200, { code: 'revoked' }], [500, { code: 'revoked', detail: 'revoked' }],
    [403, { code: 'revoked', detail: 'by a proxy' }, { 'content-type': 'application/json' }]]
  for (const instead of bad) {
    issuer.instead = instead
    await assert.rejects(installation.sync(), (error) => {
      assert.deepEqual([error.constructor, error.code], [Error, 'unreachable'], instead[0])
      assert.match(error.stack, /online\.test\.mjs/)
      return true
    })
    const { in_force: inForce, issuer: { failure, last_contact: last } } = installation.status()
    assert.deepEqual([inForce, failure.at, failure.code, last], [true, NOW, 'unreachable', null])
    assert.match(failure.message, /127\.0\.0\.1/)
    assert.equal(installation.allows('reports'), true)
  }
  const gone = await closed()
  installation.set('server', `http://127.0.0.1:${gone}`)
  await assert.rejects(installation.sync(), { code: 'unreachable' })
  installation.set('server', issuer.url)
  issuer.instead = null
  await installation.sync()
  assert.equal(installation.status().issuer.failure, null)
})

test('what the server says no to is refused, in its own words, and changes nothing', async (t) => {
  const { issuer, installation } = await online(t)
  const detail = 'there is no such license: look at the key'
  for (const [status, code] of [[404, 'not_found'], [403, 'bad_signature'], [409, 'revoked'],
    [409, 'no_machine'], [400, 'malformed']]) {
    issuer.instead = [status, { code, detail }]
    await assert.rejects(installation.sync(), (error) => {
      assert.equal(error.code, 'refused', code)
      assert.ok(error.message.includes(detail), error.message)
      return true
    })
    assert.deepEqual([installation.allows('reports'), installation.status().reason],
      [true, 'ok'], 'what nobody signed says nothing of a license')
  }
})

test('an answer of before, of another or of nobody is refused, and the next good one is not',
  async (t) => {
    const { issuer, installation } = await online(t)
    issuer.changes = { status: 'revoked' }
    await installation.sync()
    issuer.changes = { status: 'ok' }
    await installation.sync()
    const [revoked, good] = issuer.answers
    const forged = stranger.sign({ aud: 'myapp' }, { typ: 'lic-sync+jwt' })
    for (const [code, answer] of [['already_used', revoked], ['already_used', good],
      ['unknown_key', forged], ['malformed', 'x'], ['bad_signature', `${good.slice(0, -4)}AAAA`],
      ['wrong_kind', vendor.license()]]) {
      issuer.instead = [200, { answer }]
      await assert.rejects(installation.sync(), { code }, code)
      assert.equal(installation.allows('reports'), true)
      issuer.instead = null
      await installation.sync()
    }
  })

test('syncs at the same time are one, and the next of those who came meanwhile', async (t) => {
  const { issuer, installation } = await online(t)
  const go = issuer.hold()
  const first = Array.from({ length: 50 }, () => installation.sync())
  await until(() => issuer.asked.length === 1)
  await installation.record('exports', 5)
  const later = Array.from({ length: 50 }, () => installation.call('sync'))
  await turn()
  go()
  await Promise.all([...first, ...later])
  assert.deepEqual(issuer.asked, ['sync', 'sync'])
  const [before, after] = issuer.requests.map((request) => JSON.stringify(request))
  assert.ok(!before.includes('"exports"') && after.includes('"exports"'), 'it tells what was used')
  await installation.sync()
  assert.equal(issuer.asked.length, 3)
})

test('who shares a sync that fails has an error of his own', async (t) => {
  const { issuer, installation } = await online(t)
  issuer.instead = [503, '']
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => installation.sync()))
  assert.equal(issuer.asked.length, 1)
  const errors = new Set(outcomes.map(({ reason }) => reason))
  assert.deepEqual([...errors].map(({ code }) => code), Array(3).fill('unreachable'))
  issuer.instead = null
  await installation.sync()
})

test('nobody waits for a server that does not answer', async (t) => {
  const { issuer, product, installation } = await online(t)
  const go = issuer.hold()
  const syncing = installation.sync()
  const seen = watch(syncing)
  await until(() => issuer.asked.length === 1)
  installation.set('instance', 'https://a.example')
  product.set('clock', NOW + 1)
  assert.equal(installation.allows('reports'), true)
  await installation.record('exports')
  await installation.apply(vendor.license({}, { iat: NOW + 1 }))
  assert.equal(installation.status().in_force, true)
  await turn()
  assert.equal(seen.over, false, 'all of that while it waits')
  go()
  await syncing
  assert.equal(installation.usage('exports').used, 1)
})

test('nobody waits for a request over HTTP that waits for a server', async (t) => {
  const { issuer, installation } = await online(t)
  const go = issuer.hold()
  const caller = { name: 'ann', rights: ['read', 'write'] }
  const headers = { 'content-type': 'application/json' }
  const target = '/api/licensing/token/renew'
  const renew = { method: 'POST', target, headers, body: '{}', caller }
  const renewing = installation.handle(renew)
  const seen = watch(renewing)
  await until(() => issuer.asked.length === 1)
  installation.set('instance', 'https://a.example')
  const check = { method: 'GET', target: '/api/licensing/check', caller }
  assert.equal((await installation.handle(check)).status, 200)
  // As many as may wait at a time do, and the others for their turn.
  const seats = Array.from({ length: 3 }, (_, at) => installation.seat(`holder ${at}`))
  assert.ok((await readFile(new URL(import.meta.url))).length > 0)
  await until(() => issuer.asked.length === 2)
  await sleep(50)
  assert.deepEqual([seen.over, issuer.most], [false, 2])
  go()
  await Promise.all([renewing, ...seats])
  assert.equal(issuer.most, 2)
})

test('however many wait for servers, files are read', async (t) => {
  const { url, sockets } = await silent(t)
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const settings = { server: url, proxy: 'none', serverTimeout: 3, license: vendor.license() }
  const installation = product.open(emptyFolder(t), settings)
  const seats = Array.from({ length: 4 }, (_, at) => installation.seat(`holder ${at}`))
  const calls = Promise.allSettled(seats)
  const seen = watch(Promise.race(seats))
  await until(() => sockets.size === 2)
  assert.ok((await readFile(new URL(import.meta.url))).length > 0)
  await turn()
  assert.equal(seen.over, false, 'the half of the pool is left for others')
  for (const { reason } of await calls) assert.equal(reason.code, 'unreachable')
  assert.equal(sockets.size, 4)
})

test('the event loop goes on during a sync', async (t) => {
  const { issuer, installation } = await online(t)
  await installation.sync()
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  for (let round = 0; round < 2; round += 1) {
    issuer.until = sleep(1000)
    await installation.sync()
  }
  delay.disable()
  const lag = (nanoseconds) => nanoseconds / 1e6 - 5
  t.diagnostic(`lag: ${lag(delay.percentile(99)).toFixed(1)} ms (99 %), ` +
    `${lag(delay.max).toFixed(1)} ms (all), in 2 syncs of a second`)
  assert.ok(lag(delay.max) < 500, 'a sync that waits here would be a second')
})

test('a call leaves no socket, no file and no thread behind', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux has /proc')
  const { issuer, installation } = await online(t)
  const count = () => [readdirSync('/proc/self/fd').length, readdirSync('/proc/self/task').length]
  const some = async () => {
    issuer.instead = null
    const seat = await installation.seat('ann')
    await installation.sync()
    await seat.release()
    issuer.instead = [503, '']
    await assert.rejects(installation.sync(), { code: 'unreachable' })
  }
  // Until the pool has all of its threads.
  await Promise.allSettled([some(), some(), some(), some()])
  await some()
  await until(() => issuer.open === 0)
  const [files, threads] = count()
  for (let round = 0; round < 20; round += 1) await some()
  await until(() => issuer.open === 0 && count()[0] <= files)
  assert.equal(count()[1], threads)
})

test('a server that sends without end, or byte by byte, is left in time', async (t) => {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n'
  const endless = (socket) => {
    const more = () => { while (socket.write('x'.repeat(1 << 16))); }
    socket.write(head)
    socket.on('drain', more)
    more()
  }
  const slow = (socket) => {
    socket.write(head)
    const timer = setInterval(() => socket.write(' '), 20)
    socket.on('close', () => clearInterval(timer))
  }
  for (const deed of [endless, slow]) {
    const port = await serve(t, net.createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => deed(socket))
      t.after(() => socket.destroy())
    }))
    const settings = { server: `http://127.0.0.1:${port}`, proxy: 'none', serverTimeout: 1 }
    const installation = product.open(emptyFolder(t), settings)
    await installation.apply(vendor.license())
    await assert.rejects(installation.sync(), { code: 'unreachable' }, deed.name)
    assert.equal(installation.allows('reports'), true)
  }
})
