// What a license answers, at any later time.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { License, Product } from '../index.mjs'
import { DAY, NOW, claimSet, vendor } from './vendor.mjs'

const require = createRequire(import.meta.url)
const END = NOW + 30 * DAY

/** A product whose clock stands at NOW, and one of its licenses. */
function issue(license, claims) {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  return [product, product.verify(vendor.license(license, claims))]
}

/** Whether `reports` is allowed at each of some times. */
function answers(product, license, times) {
  return times.map((at) => {
    product.set('clock', at)
    assert.equal(license.limit('reports') === Infinity, license.allows('reports'))
    return license.allows('reports')
  })
}

test('says what was signed', () => {
  const [, license] = issue()
  assert.equal(license.serial, 'LIC-MYAPP-A1B2C3D4')
  assert.equal(license.customer, 'ACME Labs')
  assert.deepEqual(license.expires, new Date(END * 1000))
  assert.deepEqual([...license.features], [['exports', 900], ['reports', Infinity]])
  assert.equal(license.limit('exports'), 900)
  assert.equal(license.limit('reports'), Infinity)
})

test('what a license does not say is empty or null', () => {
  const [, license] = issue({ serial: null, customer: null, valid_until: null }, { sub: null })
  assert.deepEqual([license.serial, license.customer, license.expires], ['', '', null])
  const [, named] = issue({ customer: null })
  assert.equal(named.customer, 'cust_12345')
})

test('json is the payload byte for byte, and toJSON a copy of one\'s own', () => {
  const payload = ` ${JSON.stringify(claimSet(), null, 1)}\n`
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const license = product.verify(vendor.sign(payload))
  assert.equal(license.json, payload)
  assert.deepEqual(license.toJSON(), JSON.parse(payload))
  assert.deepEqual(JSON.parse(JSON.stringify({ license })), { license: JSON.parse(payload) })
  license.toJSON().license.features.push({ id: 'more' })
  license.features.set('more', 1)
  license.expires.setTime(0)
  assert.deepEqual(license.toJSON(), JSON.parse(payload))
  assert.equal(license.allows('more'), false)
  assert.equal(license.expires.getTime(), END * 1000)
})

test('the end passes while a license is held, to the second', () => {
  const [product, license] = issue()
  assert.deepEqual(answers(product, license, [END - 1, END, END + DAY]), [true, false, false])
  assert.equal(license.limit('exports'), 0)
})

test('grace is part of the time in force', () => {
  const [product, license] = issue({ stages: { ended: { warn: 0, deny: 7 } } })
  const end = END + 7 * DAY
  assert.deepEqual(answers(product, license, [END, end - 1, end]), [true, true, false])
})

test('a token that was not renewed ends the license', () => {
  const [product, license] = issue({}, { exp: NOW + DAY })
  assert.deepEqual(answers(product, license, [NOW + DAY - 1, NOW + DAY]), [true, false])
  assert.equal(license.expires.getTime(), END * 1000)
})

test('without an end there is none', () => {
  const [product, license] = issue({ valid_until: null })
  assert.deepEqual(answers(product, license, [NOW, 253_402_300_799]), [true, true])
})

test('a clock that is set back gains nothing, and loses nothing it had', () => {
  const [product, license] = issue()
  assert.deepEqual(answers(product, license, [END, NOW, -DAY]), [false, true, true])
  const begins = new Product('myapp', vendor.keys(), { clock: NOW + DAY })
  const later = begins.verify(vendor.license({ valid_from: NOW + DAY }))
  assert.deepEqual(answers(begins, later, [NOW + DAY - 1, NOW + DAY]), [false, true])
})

test('a license that was signed after its end is never in force', () => {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const ended = product.inspect(vendor.license({}, { iat: END }))
  assert.deepEqual(answers(product, ended, [NOW, END - 1, END]), [false, false, false])
})

test('inspect shows an ended license and one from elsewhere, which allow nothing', () => {
  const product = new Product('myapp', vendor.keys(), { clock: END })
  const ended = product.inspect(vendor.license())
  assert.deepEqual(answers(product, ended, [END, END - 1]), [false, true])
  product.set('clock', NOW)
  const elsewhere = product.inspect(vendor.license({ binding: { instance: 'https://b.example' } }))
  assert.deepEqual([elsewhere.allows('reports'), elsewhere.features.size], [false, 0])
  assert.equal(elsewhere.serial, 'LIC-MYAPP-A1B2C3D4')
})

test('licenses of one product share its clock, those of another do not', () => {
  const [product, license] = issue()
  const [other, same] = issue()
  product.set('clock', END)
  assert.deepEqual([license.allows('reports'), same.allows('reports')], [false, true])
  other.set('clock', END)
  assert.equal(same.allows('reports'), false)
})

test('a stopped clock runs again', () => {
  const [product, license] = issue({ valid_until: 253_402_300_799 })
  const [, ended] = issue({ valid_until: NOW + 1 })
  product.set('clock', -DAY)
  product.set('clock', 'system')
  assert.equal(license.allows('reports'), true)
  assert.throws(() => product.verify(vendor.license({ valid_until: NOW + 1 })), { code: 'expired' })
  assert.equal(ended.allows('reports'), true)
})

test('a setting that is refused leaves the clock as it was', () => {
  const [product, license] = issue()
  product.set('clock', END)
  assert.throws(() => product.set('clock', 'later'), { code: 'invalid_argument' })
  product.set('issuer', 'acme')
  assert.equal(license.allows('reports'), false)
})

test("the system's clock passes the end of a license that is held", (t) => {
  let skew = 0
  const { now } = Date
  const [file, clock] = ['../index.js', '../clock.js'].map((name) => require.resolve(name))
  const cached = [require.cache[file], require.cache[clock]]
  t.after(() => {
    [require.cache[file], require.cache[clock]] = cached
  })
  delete require.cache[file]
  require.cache[clock] = { ...cached[1], exports: { now: () => now() + skew } }
  const fresh = require(file)
  const today = Math.floor(now() / 1000)
  const product = new fresh.Product('myapp', vendor.keys())
  const dates = { valid_from: today - DAY, valid_until: today + DAY }
  const license = product.verify(vendor.license(dates, { iat: today - DAY / 2 }))
  const at = [0, 2 * DAY, -2 * DAY, 0].map((seconds) => {
    skew = seconds * 1000
    return license.allows('reports')
  })
  assert.deepEqual(at, [true, false, true, true])
})

test('a test that fakes Date moves neither clock', (t) => {
  const { now } = Date
  const product = new Product('myapp', vendor.keys())
  const token = vendor.license({ valid_until: Math.floor(now() / 1000) + DAY })
  const license = product.verify(token)
  t.after(() => {
    Date.now = now
  })
  Date.now = () => now() + 2 * DAY * 1000
  assert.equal(license.allows('reports'), true)
  product.verify(token)
})

test('nor does one that faked it before the package was loaded', () => {
  const module = JSON.stringify(require.resolve('../index.js'))
  const until = Math.floor(Date.now() / 1000) + DAY
  const script = `
    Date = class extends Date { static now() { return ${2 * until * 1000} } }
    const { Product } = require(${module})
    const product = new Product('myapp', ${JSON.stringify(vendor.keys())})
    const license = product.verify('${vendor.license({ valid_until: until })}')
    process.exitCode = license.allows('reports') ? 3 : 4`
  const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  assert.deepEqual([status, stderr], [3, ''])
})

test('names that every object has are not features', () => {
  const [, license] = issue()
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'has', 'size', '']
  for (const name of names) {
    assert.deepEqual([license.allows(name), license.limit(name)], [false, 0], name)
  }
  const [, odd] = issue({ features: [{ id: 'constructor', meter: 'level', max: 3 }, { id: '0' }] })
  assert.deepEqual([odd.allows('constructor'), odd.limit('constructor')], [true, 3])
  assert.deepEqual([odd.allows('0'), odd.allows(0), odd.allows('valueOf')], [true, false, false])
})

test('what is not the name of a feature is denied, and never throws', () => {
  const [, license] = issue()
  const hostile = { toString: () => 'reports', valueOf: () => 'reports' }
  const others = [undefined, null, 0, NaN, 1n, true, Symbol('reports'), ['reports'], hostile,
    new String('reports'), 'REPORTS', 'reports ', 'reports\0', '\ud800', 'r'.repeat(1 << 20)]
  for (const name of others) {
    assert.deepEqual([license.allows(name), license.limit(name)], [false, 0])
  }
  assert.deepEqual([license.allows(), license.limit()], [false, 0])
})

test('a feature of an unknown kind is denied, and the rest works', () => {
  const features = [{ id: 'new', meter: 'quantum', max: 5 }, { id: 'old' }]
  const [, license] = issue({ features })
  assert.deepEqual([license.allows('new'), license.allows('old')], [false, true])
})

test('limits are exact up to the largest', () => {
  const largest = Number.MAX_SAFE_INTEGER
  const features = [
    { id: 'all', meter: 'level' }, { id: 'most', meter: 'level', max: largest },
    { id: 'none', meter: 'level', max: 0 },
  ]
  const [, license] = issue({ features })
  assert.deepEqual(['all', 'most', 'none'].map((id) => license.limit(id)), [Infinity, largest, 0])
  assert.equal(license.allows('none'), true)
})

test('prototypes are not searched for features, however polluted', (t) => {
  t.after(() => delete Object.prototype.premium)
  Object.prototype.premium = Infinity
  const [, license] = issue()
  assert.deepEqual([license.allows('premium'), license.limit('premium')], [false, 0])
})

test('nor for anything else that a license does not say', (t) => {
  const names = ['json', 'serial', 'customer', 'expires', 'from', 'until', 'features', 'limits']
  t.after(() => names.forEach((name) => delete Object.prototype[name]))
  const pollutions = [() => ({ value: 5, configurable: true }),
    () => ({ get: () => 5, set: () => {}, configurable: true })]
  for (const pollution of pollutions) {
    for (const name of names) Object.defineProperty(Object.prototype, name, pollution())
    const without = { serial: null, customer: null, valid_until: null }
    const [product, license] = issue(without, { sub: null })
    assert.deepEqual([license.serial, license.customer, license.expires], ['', '', null])
    assert.deepEqual([...license.features.keys()], ['exports', 'reports'])
    assert.equal(license.json.startsWith('{"iss"'), true)
    const times = [NOW - 1, NOW, 253_402_300_799]
    assert.deepEqual(answers(product, license, times), [true, true, true])
    const [, ended] = issue()
    assert.equal(ended.expires.getTime(), END * 1000)
  }
})

test('nobody else makes a license', () => {
  const [, license] = issue()
  const illegal = { name: 'TypeError', code: 'invalid_argument' }
  assert.throws(() => new License(), illegal)
  assert.throws(() => new License(Symbol('verified'), {}, {}), illegal)
  assert.throws(() => new license.constructor({}), illegal)
  assert.throws(() => new (class extends License {})(), illegal)
  const forged = Object.create(License.prototype)
  assert.throws(() => forged.allows('reports'), TypeError)
  assert.throws(() => License.prototype.allows.call({}, 'reports'), TypeError)
})

test('nobody changes a license, its class or its product by accident', () => {
  const [product, license] = issue()
  const yes = () => true
  const changes = [
    () => (license.allows = yes), () => (license.serial = 'x'),
    () => (License.prototype.allows = yes), () => (product.verify = yes),
    () => (Product.prototype.verify = yes), () => (license.customer = 'x'),
    () => Object.setPrototypeOf(license, { allows: yes }),
    () => Object.defineProperty(License.prototype, 'allows', { value: yes }),
  ]
  for (const change of changes) assert.throws(change, TypeError)
  assert.equal(license.allows('all'), false)
  assert.deepEqual(Reflect.ownKeys(license), [])
  for (const made of [license, product, License, Product]) assert.ok(Object.isFrozen(made))
})

test('a license that is cloned or spread is no license', () => {
  const [, license] = issue()
  assert.equal(structuredClone(license).allows, undefined)
  assert.equal({ ...license }.allows, undefined)
})
