// What an installation takes and answers, and what it refuses.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { Installation, Product } from '../index.mjs'
import { emptyFolder } from './folder.mjs'
import { DAY, NOW, stranger, vendor } from './vendor.mjs'

const END = NOW + 30 * DAY
const invalid = { name: 'TypeError', code: 'invalid_argument' }
const product = (settings) => new Product('myapp', vendor.keys(), { clock: NOW, ...settings })

/** A new installation, with a license where one is given. */
async function installed(t, license = vendor.license(), settings = {}) {
  const made = product(settings)
  const installation = made.open(emptyFolder(t))
  if (license !== null) await installation.apply(license)
  return { product: made, installation }
}

test('a license is applied, answers, and is removed', async (t) => {
  const { installation } = await installed(t, null)
  assert.equal(installation.allows('reports'), false)
  assert.equal(await installation.apply(vendor.license()), undefined)
  assert.deepEqual(['reports', 'exports', 'other'].map((id) => installation.allows(id)),
    [true, true, false])
  assert.deepEqual(['reports', 'other'].map((id) => installation.access(id)), ['allow', 'deny'])
  assert.equal(await installation.remove(), true)
  assert.deepEqual([installation.allows('reports'), installation.access('reports')],
    [false, 'deny'])
  assert.equal(await installation.remove(), false)
})

test('what is bad, older or another\'s changes nothing', async (t) => {
  const { installation } = await installed(t, vendor.license({}, { iat: NOW - DAY }))
  const bad = [
    ['malformed', ''], ['malformed', 'not a license'], ['malformed', Buffer.from([0xff])],
    ['bad_signature', `${vendor.license().slice(0, -4)}AAAA`],
    ['unknown_key', stranger.license()],
    ['wrong_product', vendor.license({}, { aud: 'other' })],
    ['wrong_installation', vendor.license({ binding: { instance: 'https://b.example' } })],
    ['expired', vendor.license({ valid_from: NOW - 2 * DAY, valid_until: NOW - DAY })],
    ['older_than_installed', vendor.license({}, { iat: NOW - 2 * DAY })],
    ['too_large', 'A'.repeat(1 << 24)], ['too_large', Buffer.alloc(1 << 24, 65)],
  ]
  const before = JSON.stringify(installation.status())
  for (const [code, data] of bad) {
    await assert.rejects(installation.apply(data), (error) => {
      assert.deepEqual([error.constructor, error.code], [Error, code])
      assert.match(error.message, /^.+: .+$/)
      assert.match(error.stack, /installation\.test\.mjs/)
      return true
    }, code)
    assert.equal(JSON.stringify(installation.status()), before, code)
    assert.equal(installation.allows('reports'), true, code)
  }
})

test('an older license is applied when that is what is meant', async (t) => {
  const { installation } = await installed(t)
  const older = vendor.license({ serial: 'OLD' }, { iat: NOW - DAY })
  for (const options of [undefined, {}, { older: undefined }, { older: false }]) {
    await assert.rejects(installation.apply(older, options), { code: 'older_than_installed' })
  }
  await installation.apply(older, { older: true })
  assert.equal(installation.status().license.serial, 'OLD')
})

test('a license is text or bytes, and may be overwritten as soon as it was given', async (t) => {
  const { installation } = await installed(t, null)
  const forms = [(text) => text, Buffer.from, (text) => new Uint8Array(Buffer.from(text)),
    (text) => Buffer.from(text).toString('base64'), (text) => shared(text)]
  for (const [at, form] of forms.entries()) {
    const data = form(vendor.license({ serial: `S${at}` }, { iat: NOW + at }))
    const applied = installation.apply(data)
    if (typeof data !== 'string') data.fill(0)
    await applied
    assert.equal(installation.status().license.serial, `S${at}`)
  }
})

function shared(text) {
  const bytes = new Uint8Array(new SharedArrayBuffer(text.length))
  bytes.set(Buffer.from(text))
  return bytes
}

test('licenses come from the host too, and the status names them all', async (t) => {
  const folder = emptyFolder(t)
  const file = path.join(folder, 'own.lic')
  const until = (days, serial) => vendor.license({ serial, valid_until: NOW + days * DAY })
  writeFileSync(file, until(20, 'FILE'))
  process.env.LICENTIA_TEST_LICENSE = until(15, 'ENV')
  t.after(() => delete process.env.LICENTIA_TEST_LICENSE)
  const by = product().open(folder, {
    license: until(10, 'TEXT'), licenseFile: file, license_env: 'LICENTIA_TEST_LICENSE',
  })
  const { license, sources } = by.status()
  assert.deepEqual([license.source, license.serial, license.name], ['file', 'FILE', file])
  const known = sources.filter(({ id }) => id !== null)
  assert.deepEqual(known.map(({ source, used }) => [source, used]),
    [['file', true], ['environment', false], ['text', false]])
  by.set('licenseFile', '')
  assert.equal(by.status().license.serial, 'ENV')
  by.set('license_env', '')
  by.set('license', Buffer.from(until(40, 'BYTES')))
  assert.equal(by.status().license.serial, 'BYTES')
  by.set('license', '')
  assert.deepEqual([by.status().license, by.allows('reports')], [null, false])
})

test('settings of an installation: unknown names and wrong values', (t) => {
  const folder = emptyFolder(t)
  const open = (options) => product().open(folder, options)
  const error = { name: 'Error', code: 'invalid_argument' }
  for (const name of ['licenseFil', 'license_fil', 'grace_days', 'clock', '', '\0', 'License']) {
    assert.throws(() => open({ [name]: 'x' }), error, name)
    assert.throws(() => open().set(name, 'x'), error, name)
  }
  assert.throws(() => open({ licenseFil: 'x' }), { ...error, message: /did you mean license_file/ })
  for (const bad of [null, 1, 1n, true, {}, [], Symbol('s'), () => 'x']) {
    for (const name of ['license', 'licenseFile', 'licenseEnv', 'instance']) {
      assert.throws(() => open({ [name]: bad }), invalid)
      assert.throws(() => open().set(name, bad), invalid)
    }
    assert.throws(() => open().set(bad, 'x'), invalid)
    if (typeof bad !== 'object' || bad === null) assert.throws(() => open(bad), invalid)
  }
  assert.throws(() => open(new Map([['license', 'x']])), invalid)
  open({ license: undefined })
})

test('a folder is a path, in a text', (t) => {
  for (const bad of [undefined, null, 1, {}, [], Buffer.from('/tmp'), new URL('file:///tmp')]) {
    assert.throws(() => product().open(bad), invalid)
  }
  for (const bad of ['', 'a\0b']) {
    assert.throws(() => product().open(bad), { name: 'Error', code: 'invalid_argument' })
  }
  product().open(emptyFolder(t))
})

test('a folder that is missing or cannot be written says so, and stops no license', async (t) => {
  const folder = emptyFolder(t)
  writeFileSync(path.join(folder, 'file'), '')
  const folders = [path.join(folder, 'missing'), path.join(folder, 'file'), '/proc']
  for (const bad of folders) {
    const lost = product().open(bad, { license: vendor.license() })
    assert.deepEqual([lost.allows('reports'), lost.allows('other')], [true, false], bad)
    const { state, license } = lost.status()
    assert.deepEqual([state.ok, state.code, license.source], [false, 'state_unavailable', 'text'])
    const calls = [() => lost.apply(vendor.license()), () => lost.remove(),
      () => lost.record('exports'), () => lost.recordKey('exports', 'a'), () => lost.firstUse()]
    for (const call of calls) {
      await assert.rejects(call, { code: /^(state_unavailable|invalid_argument)$/ }, String(call))
    }
    await assert.rejects(lost.apply(vendor.license()), { code: 'state_unavailable' })
    assert.throws(() => lost.recordLater('exports'), { code: 'state_unavailable' })
    assert.equal(lost.allows('reports'), true)
  }
  assert.equal(readFileSync(path.join(folder, 'file'), 'utf8'), '')
  assert.deepEqual(readdirSync(folder), ['file'])
})

test('a folder that appears later is taken up', async (t) => {
  const folder = path.join(emptyFolder(t), 'later')
  const installation = product().open(folder)
  await assert.rejects(installation.apply(vendor.license()), { code: 'state_unavailable' })
  mkdirSync(folder)
  await installation.apply(vendor.license())
  assert.equal(installation.allows('reports'), true)
})

test('damage is reported, and never taken for a first run', async (t) => {
  const folder = emptyFolder(t)
  const made = product({ graceDays: 30 })
  await made.open(folder).apply(vendor.license())
  for (const name of readdirSync(folder).filter((name) => name.startsWith('state.'))) {
    writeFileSync(path.join(folder, name), 'damage')
  }
  const { state } = made.open(folder).status()
  assert.deepEqual([state.ok, state.code], [false, 'state_corrupt'])
})

test('status and explain speak of any time, given as a Date or in seconds', async (t) => {
  const { installation } = await installed(t)
  assert.equal(installation.status().at, NOW)
  for (const at of [END, END + 0.9, new Date(END * 1000), new Date(END * 1000 + 999)]) {
    assert.deepEqual([installation.status(at).at, installation.status(at).reason], [END, 'expired'])
    assert.equal(installation.explain(at).at, END)
  }
  assert.equal(installation.status(new Date(END * 1000 - 1)).in_force, true)
  assert.deepEqual(installation.status(undefined), installation.status())
  for (const at of [NaN, Infinity, -Infinity, 1e300, new Date(NaN)]) {
    for (const call of ['status', 'explain']) {
      assert.throws(() => installation[call](at), invalid)
    }
    await assert.rejects(installation.firstUse(at), invalid)
  }
  for (const at of [null, '2025-11-22', 1n, {}, [], true, { getTime: () => 0 }]) {
    assert.throws(() => installation.status(at), invalid)
    assert.throws(() => installation.explain(at), invalid)
    await assert.rejects(installation.firstUse(at), invalid)
  }
  for (const at of [-1, 253_402_300_800, Date.now(), Number.MAX_SAFE_INTEGER]) {
    assert.throws(() => installation.status(at), { name: 'Error', code: 'invalid_argument' })
  }
})

test('a gate has the answer ready, where there is one to give', async (t) => {
  const { product: made, installation } = await installed(t, vendor.license(), { vendor: 'ACME' })
  assert.equal(installation.gate('reports'), null)
  const refusal = (id) => {
    const { status, body } = installation.gate(id)
    const { detail, code } = JSON.parse(body)
    assert.match(detail, /ACME/)
    return [status, code]
  }
  assert.deepEqual(refusal('other'), [403, 'not_granted'])
  made.set('clock', END)
  assert.deepEqual(refusal('reports'), [400, 'expired'])
  await installation.remove()
  assert.deepEqual(refusal('reports'), [400, 'not_licensed'])
  for (const bad of [undefined, null, 1, {}, ['reports'], Symbol('reports')]) {
    assert.throws(() => installation.gate(bad), invalid)
  }
})

test('what is not the name of a feature is denied, and never throws', async (t) => {
  const { installation } = await installed(t)
  const hostile = { toString: () => 'reports', valueOf: () => 'reports' }
  const others = [undefined, null, 0, NaN, 1n, true, Symbol('reports'), ['reports'], hostile,
    new String('reports'), 'REPORTS', 'reports ', 'reports\0', '\ud800', 'r'.repeat(1 << 20), '',
    '__proto__', 'constructor', 'toString', 'has', 'size']
  for (const name of others) {
    assert.deepEqual([installation.allows(name), installation.access(name)], [false, 'deny'])
  }
  const { installation: open } = await installed(t, null, { deployment: 'saas' })
  for (const name of others) {
    assert.equal(open.allows(name), typeof name === 'string')
  }
})

test('prototypes are not searched, however polluted', async (t) => {
  const names = ['premium', 'until', 'from', 'otherwise', 'features', 'access', 'older',
    'license', 'resetsAt', 'limit', 'stopped', 'get']
  t.after(() => names.forEach((name) => delete Object.prototype[name]))
  for (const name of names) {
    Object.defineProperty(Object.prototype, name, { value: 3, configurable: true, writable: true })
  }
  const { installation } = await installed(t)
  const features = ['premium', 'reports', 'exports', 'until']
  assert.deepEqual(features.map((id) => installation.allows(id)), [false, true, true, false])
  const older = vendor.license({}, { iat: NOW - DAY })
  await assert.rejects(installation.apply(older), { code: 'older_than_installed' })
  assert.equal(installation.usage('reports').limit, Infinity)
})

test('the grace without a license begins with the first use, once', async (t) => {
  const { product: made, installation } = await installed(t, null, { graceDays: 31 })
  assert.deepEqual([installation.allows('any'), installation.status().reason],
    [true, 'not_needed'])
  await assert.rejects(installation.firstUse(NOW + 1), { code: 'invalid_argument' })
  await installation.firstUse()
  await installation.firstUse(new Date((NOW - DAY) * 1000))
  await installation.firstUse(NOW)
  const { anchor, reason } = installation.status()
  assert.deepEqual([anchor.at, anchor.days, reason], [NOW - DAY, 1, 'unlicensed_grace'])
  const end = NOW + 30 * DAY
  const answers = [end - 1, end].map((at) => {
    made.set('clock', at)
    return installation.allows('any')
  })
  assert.deepEqual(answers, [true, false])
  const body = JSON.parse(installation.gate('any').body)
  assert.match(body.detail, /^A license is required after 31 days/)
})

test('options of apply are a plain object with one member', async (t) => {
  const { installation } = await installed(t)
  const token = vendor.license()
  for (const bad of [null, true, 'older', [], new Map(), { force: true }, { older: 1 },
    { older: 'yes' }, { older: null }]) {
    await assert.rejects(installation.apply(token, bad), invalid)
  }
  for (const bad of [undefined, null, 1, {}, [], token.split(''), new ArrayBuffer(8)]) {
    await assert.rejects(installation.apply(bad), invalid)
  }
  const gone = new Uint8Array(Buffer.from(token))
  structuredClone(gone, { transfer: [gone.buffer] })
  await assert.rejects(installation.apply(gone), { ...invalid, message: /transferred/ })
})

test('a revocation and a signed key set are taken by the same door', async (t) => {
  const { installation } = await installed(t)
  const id = Buffer.from('7c9e6679742540de944be07fc1f90ae7', 'hex').toString('base64url')
  const list = { iss: 'https://licenses.acme.example', aud: 'myapp', iat: NOW }
  const typ = 'lic-revs+jwt'
  await installation.apply(vendor.sign({ ...list, version: 2, ids: [id] }, { typ }))
  assert.deepEqual([installation.allows('reports'), installation.status().reason],
    [false, 'revoked'])
  await assert.rejects(installation.apply(vendor.sign({ ...list, version: 1, ids: [] }, { typ })),
    { code: 'older_than_installed' })
  await installation.apply(vendor.sign({ ...list, version: 3, ids: [] }, { typ }))
  assert.equal(installation.status().reason, 'revoked', 'it stays so')
  const keys = { ...list, epoch: 2, keys: [stranger.jwk] }
  await installation.apply(vendor.sign(keys, { typ: 'lic-keys+jwt' }))
  const own = { id: '01010101-0101-4101-8101-010101010101', serial: 'NEW KEY' }
  await installation.apply(stranger.license(own, { iat: NOW + 1 }))
  assert.equal(installation.allows('reports'), true)
  assert.equal(installation.status().license.serial, 'NEW KEY')
})

test('nobody else makes an installation, or changes one by accident', async (t) => {
  const { installation } = await installed(t)
  assert.throws(() => new Installation(), invalid)
  assert.throws(() => new Installation(Symbol('opened'), {}, {}), invalid)
  assert.throws(() => Installation.prototype.allows.call({}, 'reports'), TypeError)
  await assert.rejects(Installation.prototype.record.call({}, 'exports'), TypeError)
  const yes = () => true
  const changes = [() => (installation.allows = yes), () => (Installation.prototype.allows = yes),
    () => Object.setPrototypeOf(installation, { allows: yes })]
  for (const change of changes) assert.throws(change, TypeError)
  assert.deepEqual(Reflect.ownKeys(installation), [])
  assert.equal(structuredClone(installation).allows, undefined)
})

test('an installation outlives its product, and keeps the settings it was opened with', (t) => {
  const folder = emptyFolder(t)
  const made = product({ deployment: 'saas' })
  const installation = made.open(folder)
  made.set('deployment', 'onpremise')
  assert.equal(installation.allows('any'), true)
  assert.equal(made.open(folder).allows('any'), false)
})
