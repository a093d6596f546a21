// How a product is set up.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { rootCertificates } from 'node:tls'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { Product } from '../index.mjs'
import { emptyFolder } from './folder.mjs'
import { DAY, NOW, stranger, vendor } from './vendor.mjs'

const read = (name) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')
const product = (settings) => new Product('myapp', vendor.keys(), { clock: NOW, ...settings })
const invalid = { name: 'TypeError', code: 'invalid_argument' }

/** Values that each setting takes. */
const VALUES = {
  clock: ['system', '2025-11-22', '2025-11-22T00:00:00Z', String(NOW), NOW, 1.5, new Date()],
  issuer: ['acme', ''],
  machine: ['cluster-1', ''],
  machine_file: ['/nowhere/machine-id', ''],
  machine_root: ['/nowhere', ''],
  machine_exclude: ['nic,disk', '', ['nic', 'disk'], []],
  installation: ['6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c', ''],
  instance: ['https://play.acme.example/', ''],
  vendor: ['ACME', ''],
  deployment: ['onpremise', 'saas', ''],
  grace_days: ['31', 31, 0, ''],
  warning_days: ['30', 30, 0, ''],
  server: ['https://a.example', ['https://a.example', 'http://b.example:7770/'], [], ''],
  monthly_meter: ['exports', ''],
}

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

/** The names in one table of docs/settings.md, and the members of one interface of index.d.ts. */
function documented(section, made) {
  const table = read('docs/settings.md').split(/^## /m).find((part) => part.startsWith(section))
  const rows = [...table.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name)
  const [, members] = read('bindings/node/index.d.ts')
    .match(new RegExp(`interface ${made} \\{(.*?)\n\\}`, 's'))
  return { rows, names: [...members.matchAll(/^ {2}(\w+)\?: /gm)].map(([, name]) => name) }
}

test('every setting of the table is taken, by both names, in both places', () => {
  const { rows, names } = documented('Of a product', 'ProductOptions')
  assert.deepEqual(rows, Object.keys(VALUES))
  assert.deepEqual(names, rows.map(camel))
  for (const [name, values] of Object.entries(VALUES)) {
    for (const value of values) {
      product({ [name]: value })
      product({ [camel(name)]: value })
      product().set(name, value)
      product().set(camel(name), value)
    }
  }
})

test('so is every setting of an installation', (t) => {
  const authority = path.join(emptyFolder(t), 'ca.pem')
  writeFileSync(authority, rootCertificates[0])
  const values = {
    license: [vendor.license(), '', Buffer.from(vendor.license()), new Uint8Array()],
    license_file: ['/nowhere/myapp.lic', ''],
    license_env: ['LICENSE', ''],
    instance: ['https://play.acme.example/', ''],
    mount: ['/admin/licensing', ''],
    public_status: ['minimal', 'full', ''],
    lease_window: ['31', 31, ''],
    server: ['https://a.example', ['https://a.example', 'http://b.example:7770/'], [], ''],
    server_ca: [authority, ''],
    proxy: ['http://name:password@proxy:3128', 'none', ''],
    server_timeout: ['5', 5, ''],
  }
  const { rows, names } = documented('Of an installation', 'OpenOptions')
  assert.deepEqual(rows, Object.keys(values))
  assert.deepEqual(names, rows.map(camel))
  const folder = emptyFolder(t)
  for (const [name, value] of rows.flatMap((name) => values[name].map((value) => [name, value]))) {
    for (const either of [name, camel(name)]) {
      product().open(folder, { [either]: value }).set(either, value)
    }
  }
})

test('index.d.ts has every word for an error', () => {
  const types = read('bindings/node/index.d.ts')
  const union = types.match(/type ErrorCode =(.*?)\n\n/s)[1]
  const words = [...union.matchAll(/\| '(\w+)'/g)].map(([, word]) => word)
  const codes = JSON.parse(read('tests/vectors/codes.json'))
  assert.deepEqual(words, codes.map(({ slug }) => slug))
})

test('status.d.ts has every word of a verdict', () => {
  const [page, types] = [read('docs/verdict.md'), read('bindings/node/status.d.ts')]
  const inPage = (part) => [...page.split(`<!-- ${part} -->`)[1].split('<!-- end -->')[0]
    .matchAll(/^\| `(\w+)` \|/gm)].map(([, word]) => word)
  const inTypes = (name) => [...types.match(new RegExp(`type ${name} =(.*?)\n\n`, 's'))[1]
    .matchAll(/'(\w+)'/g)].map(([, word]) => word)
  assert.deepEqual(inTypes('WarningCode'), inPage('warnings'))
  assert.deepEqual(inTypes('EventCode'), inPage('timeline'))
  const errors = JSON.parse(read('tests/vectors/codes.json')).map(({ slug }) => slug)
  const good = [...inPage('reasons'), ...inPage('others')].filter((word) => !errors.includes(word))
  assert.deepEqual(inTypes('Reason'), good)
})

test('settings do what they say', async () => {
  const id = '6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c'
  const bound = vendor.license({ binding: { installation: id, instance: 'https://a.example/' } })
  product({ installation: id, instance: 'https://a.example' }).verify(bound)
  product({ issuer: 'https://licenses.acme.example' }).verify(vendor.license())
  const excluding = await product({ machineExclude: ['nic', 'disk'] }).machine()
  const excluded = excluding.components.filter(({ state }) => state === 'excluded')
  assert.deepEqual(new Set(excluded.map(({ kind }) => kind)), new Set(['nic', 'disk']))
})

test('a license that is bound to a machine is good there only', async () => {
  const here = product({ machine: 'cluster-1' })
  const { id, product: code, components } = await here.machine()
  assert.match(id, /^[0-9A-F]{4}-[0-9A-F]{4}$/)
  assert.equal(code, 'myapp')
  const [{ kind, hash, binds }] = components
  assert.deepEqual([components.length, kind, binds], [1, 'identity', true])
  const bound = vendor.license({
    binding: { machine: { v: 1, need: 1, parts: { identity: [hash] } } },
  })
  assert.equal(here.verify(bound).allows('reports'), true)
  here.set('machine', 'cluster-2')
  assert.throws(() => here.verify(bound), { code: 'wrong_machine' })
  here.set('machine', '')
  assert.throws(() => here.verify(bound), { code: 'wrong_machine' })
  assert.equal(here.inspect(bound).allows('reports'), false)
})

test('a machine file is read when it is asked for', async (t) => {
  const folder = emptyFolder(t)
  const machineFile = path.join(folder, 'machine-id')
  const by = product({ machineFile })
  await assert.rejects(by.machine(), { name: 'Error', code: 'io' })
  writeFileSync(machineFile, 'cluster-1\n')
  assert.deepEqual(await by.machine(), await product({ machine: 'cluster-1' }).machine())
  writeFileSync(machineFile, '')
  await assert.rejects(by.machine(), { name: 'Error', code: 'invalid_argument' })
})

/** Opens a pipe, and fills it when it is told to, or when nobody tells it for a minute. */
const FILL = `
  const { openSync, writeSync } = require('node:fs')
  const { parentPort, workerData: { pipe, told } } = require('node:worker_threads')
  // Waits until the other end is open: somebody is reading by now.
  const end = openSync(pipe, 'w')
  parentPort.postMessage('read')
  const answer = Atomics.wait(told, 0, 0, 60_000)
  writeSync(end, 'cluster-1')
  parentPort.postMessage(answer)`

test('a machine that is being read keeps nobody waiting', async (t) => {
  if (process.platform === 'win32') return t.skip('needs named pipes')
  const folder = emptyFolder(t)
  const pipe = path.join(folder, 'identity')
  execFileSync('mkfifo', [pipe])
  const told = new Int32Array(new SharedArrayBuffer(4))
  const by = product({ machineFile: pipe })
  const held = by.verify(vendor.license())
  const asked = by.machine()
  const filling = new Worker(FILL, { eval: true, workerData: { pipe, told } })
  assert.deepEqual(await once(filling, 'message'), ['read'])
  by.set('machine', 'cluster-2')
  by.trust(stranger.keys())
  by.verify(stranger.license())
  by.set('clock', NOW + 30 * DAY)
  assert.equal(held.allows('reports'), false)
  Atomics.store(told, 0, 1)
  Atomics.notify(told, 0)
  const [answer] = await once(filling, 'message')
  assert.notEqual(answer, 'timed-out', 'something waited for the machine')
  assert.deepEqual(await asked, await product({ machine: 'cluster-1' }).machine())
  assert.deepEqual(await by.machine(), await product({ machine: 'cluster-2' }).machine())
})

test('the clock takes a Date, seconds, or text, and nothing else', () => {
  const at = (clock) => product({ clock }).verify(vendor.license()).allows('reports')
  for (const clock of [new Date(NOW * 1000), NOW, NOW + 0.9, String(NOW), '2025-11-22']) {
    assert.equal(at(clock), true)
  }
  assert.throws(() => at(new Date((NOW + 30 * DAY) * 1000)), { code: 'expired' })
  // Whole seconds, rounded down: the last of them is in force to its end.
  assert.equal(at(new Date((NOW + 30 * DAY) * 1000 - 1)), true)
  assert.equal(at(NOW + 30 * DAY - 0.001), true)
  for (const clock of [NaN, Infinity, -Infinity, 1e21, Date.now(), new Date(NaN), 'now']) {
    assert.throws(() => at(clock), { name: 'Error', code: 'invalid_argument' }, String(clock))
  }
  for (const clock of [null, 1n, true, {}, [NOW]]) assert.throws(() => at(clock), invalid)
})

test('days are a whole number, as such or as text', () => {
  for (const name of ['graceDays', 'warning_days']) {
    for (const days of [NaN, Infinity, -1, 1.5, 3651, 1e21, '1.5', '-1', ' 1']) {
      const expected = { name: 'Error', code: 'invalid_argument' }
      assert.throws(() => product({ [name]: days }), expected, `${name} ${days}`)
    }
    for (const days of [null, 1n, true, {}, [31]]) {
      assert.throws(() => product({ [name]: days }), invalid)
    }
  }
})

test('an option that is undefined is not given', () => {
  const clock = undefined
  assert.equal(new Product('myapp', vendor.keys(), { clock, issuer: clock }).code, 'myapp')
  assert.equal(new Product('myapp', vendor.keys(), undefined).code, 'myapp')
  assert.throws(() => product().set('clock', undefined), invalid)
})

test('options are a plain object, so that none is passed over', () => {
  class Options {
    get issuer() {
      return 'acme'
    }
  }
  const others = [new Map([['issuer', 'acme']]), new Set(), [], [['issuer', 'acme']], new Date(),
    new Options(), Object.create({ issuer: 'acme' }), new (class extends null {
      constructor() {
        return Object.create(new.target.prototype)
      }
    })(), Object.create(Object.assign(Object.create(null), { issuer: 'acme' })), () => {},
    runInNewContext('new Map([["issuer", "acme"]])'), runInNewContext('["issuer"]')]
  for (const options of others) {
    const message = /^options is (an object|an array|a function), not a plain object: /
    assert.throws(() => new Product('myapp', vendor.keys(), options), { ...invalid, message })
  }
  const bare = Object.assign(Object.create(null), { clock: NOW, issuer: 'acme' })
  for (const options of [bare, runInNewContext('({ clock, issuer: "acme" })', { clock: NOW })]) {
    const strict = new Product('myapp', vendor.keys(), options)
    assert.throws(() => strict.verify(vendor.license()), { code: 'wrong_issuer' })
  }
})

test('an option that nobody knows is refused, with the nearest that is known', () => {
  for (const name of ['machineFil', 'machine_fil', 'machinefile']) {
    const message = /did you mean machine_file/
    const expected = { name: 'Error', code: 'invalid_argument', message }
    assert.throws(() => product({ [name]: '/x' }), expected)
    assert.throws(() => product().set(name, '/x'), expected)
  }
  for (const name of ['', '__proto__', 'constructor', '\ud800', '\0', 'x'.repeat(1 << 20)]) {
    assert.throws(() => product().set(name, ''), { name: 'Error', code: 'invalid_argument' })
  }
  assert.throws(() => product(JSON.parse('{"__proto__": "x"}')), { code: 'invalid_argument' })
})

test('wrong types are TypeErrors', () => {
  for (const bad of [undefined, null, 1, {}, [], Symbol('s'), new ArrayBuffer(8)]) {
    assert.throws(() => new Product(bad, vendor.keys()), invalid)
    assert.throws(() => new Product('myapp', bad), invalid)
    assert.throws(() => product().trust(bad), invalid)
    assert.throws(() => product().set(bad, 'x'), invalid)
    assert.throws(() => product().set('issuer', bad), invalid)
  }
  for (const bad of [null, 1, 'clock']) {
    assert.throws(() => new Product('myapp', vendor.keys(), bad), invalid)
  }
  assert.throws(() => product({ machineExclude: ['nic', 1] }), invalid)
  assert.throws(() => Product('myapp', vendor.keys()), TypeError)
  assert.throws(() => Product.prototype.verify.call({}, ''), TypeError)
})

test('keys are text or its bytes, in every form', () => {
  const { jwk, kid } = vendor
  const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const forms = [JSON.stringify({ keys: [{ ...jwk, kid }] }), JSON.stringify(jwk), pem,
    `ed25519:${jwk.x}`]
  for (const keys of forms.flatMap((form) => [form, Buffer.from(form), ` ${form}\n`])) {
    new Product('myapp', keys, { clock: NOW }).verify(vendor.license())
  }
  for (const keys of ['', '\ud800', Buffer.from([0xff]), Buffer.alloc(0), '{}', '{"keys":[]}',
    'A'.repeat(1 << 24)]) {
    const expected = { name: 'Error', code: /^(invalid_key|too_large)$/ }
    assert.throws(() => new Product('myapp', keys), expected)
  }
})

test('text and its bytes are judged alike, whatever is in front of them', () => {
  const verdict = (keys) => {
    try {
      return new Product('myapp', keys).code
    } catch (error) {
      return error.message
    }
  }
  for (const front of ['\ufeff', '\0', '\u00a0', 'é']) {
    const keys = front + vendor.keys()
    assert.equal(verdict(keys), verdict(Buffer.from(keys)))
  }
})

test('trust adds keys, and refuses without a change', () => {
  const both = product()
  assert.throws(() => both.trust('no key'), { code: 'invalid_key' })
  assert.throws(() => both.verify(stranger.license()), { code: 'unknown_key' })
  both.trust(Buffer.from(stranger.keys()))
  both.verify(stranger.license())
  both.verify(vendor.license())
})

test('a signed key set takes the place of the one before it', () => {
  const rotating = product()
  const set = (epoch, keys) => vendor.sign(
    { iss: 'acme', aud: 'myapp', iat: NOW, epoch, keys }, { typ: 'lic-keys+jwt' },
  )
  rotating.trust(set(1, [stranger.jwk]))
  rotating.verify(stranger.license())
  rotating.trust(set(2, [{ ...stranger.jwk, state: 'compromised' }]))
  assert.throws(() => rotating.verify(stranger.license()), { code: 'key_compromised' })
  assert.throws(() => rotating.trust(set(1, [stranger.jwk])), { code: 'older_than_installed' })
})

test('a product may be extended', () => {
  class Mine extends Product {
    edition = 'pro'

    verify(data) {
      return { license: super.verify(data), edition: this.edition }
    }
  }
  const { license, edition } = new Mine('myapp', vendor.keys(), { clock: NOW })
    .verify(vendor.license())
  assert.deepEqual([license.allows('reports'), edition], [true, 'pro'])
})
