// What verify takes: text and bytes in every shape, and anything else without harm.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { Product } from '../index.mjs'
import { NOW, vendor } from './vendor.mjs'

const product = new Product('myapp', vendor.keys(), { clock: NOW })
const token = vendor.license()
const { json } = product.verify(token)
const bytes = Buffer.from(token)
const accepts = (data) => assert.equal(product.verify(data).json, json)
const refuses = (data, expected) => {
  assert.throws(() => product.verify(data), expected)
  assert.throws(() => product.inspect(data), expected)
}

test('text and bytes, in all three coats', () => {
  accepts(token)
  accepts(`\ufeff${token}\r\n`)
  accepts(token.replace(/.{64}/g, '$&\n'))
  accepts(bytes)
  accepts(new Uint8Array(bytes))
  accepts(Buffer.from(`${token}\n`).toString('base64'))
})

test('a part of a larger buffer, at an offset', () => {
  const large = Buffer.concat([Buffer.from('xxx'), bytes, Buffer.from('yyy')])
  accepts(large.subarray(3, 3 + bytes.length))
  accepts(new Uint8Array(large.buffer, large.byteOffset + 3, bytes.length))
  refuses(large.subarray(2, 3 + bytes.length), { code: 'malformed' })
})

test('bytes from another realm, and of a class of their own', () => {
  accepts(runInNewContext('new Uint8Array(array)', { array: [...bytes] }))
  class Bytes extends Uint8Array {
    get length() {
      return 1e9
    }
  }
  accepts(Bytes.from(bytes))
})

test('shared memory, which stays as it is', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 1), 1)
  shared.set(bytes)
  accepts(shared)
  accepts(Buffer.from(shared.buffer, 1))
  assert.deepEqual(Buffer.from(shared), bytes)
  refuses(new Uint8Array(new SharedArrayBuffer(1 << 20)).fill(65), { code: 'too_large' })
})

test('a buffer that was transferred or shrunk is named as such', () => {
  const gone = new Uint8Array(bytes)
  structuredClone(gone, { transfer: [gone.buffer] })
  refuses(gone, { name: 'TypeError', code: 'invalid_argument', message: /transferred/ })
  refuses(new Uint8Array(0), { name: 'Error', code: 'malformed', message: /empty/ })
  refuses(Buffer.alloc(0), { name: 'Error', code: 'malformed', message: /empty/ })
  refuses('', { name: 'Error', code: 'malformed', message: /empty/ })
})

test('a buffer that can be resized', (t) => {
  const buffer = new ArrayBuffer(bytes.length, { maxByteLength: 2 * bytes.length })
  if (!buffer.resizable) return t.skip('this Node has none')
  const fixed = new Uint8Array(buffer, 0, bytes.length)
  const tracking = new Uint8Array(buffer)
  fixed.set(bytes)
  accepts(fixed)
  accepts(tracking)
  buffer.resize(bytes.length - 1)
  refuses(fixed, { name: 'Error', code: 'malformed', message: /empty/ })
  refuses(tracking, { name: 'Error', code: /^(malformed|bad_signature)$/ })
})

test('anything but text and bytes is a TypeError that says what it is', () => {
  const cases = [
    [undefined, 'undefined'], [null, 'null'], [1, 'a number'], [1n, 'a bigint'],
    [true, 'a boolean'], [Symbol('s'), 'a symbol'], [{}, 'an object'], [[], 'an array'],
    [() => token, 'a function'], [new String(token), 'an object'],
    [bytes.buffer, 'an object'], [new DataView(bytes.buffer), 'an object'],
    [new Uint16Array(4), 'an object'], [{ length: 1, 0: 1 }, 'an object'],
    [Object.create(Uint8Array.prototype), 'an object'], [product.verify(token), 'an object'],
  ]
  for (const [data, found] of cases) {
    const message = `the license is ${found}, not a string or a Uint8Array: correct the call`
    refuses(data, { name: 'TypeError', code: 'invalid_argument', message })
  }
  assert.throws(() => product.verify(), { name: 'TypeError', code: 'invalid_argument' })
})

test('text that is no Unicode or has NUL is refused as damage', () => {
  for (const damage of ['\ud800', '\udc00', '\0', '\u202e', 'é', '😀', '“']) {
    for (const at of [0, 5, token.length]) {
      refuses(token.slice(0, at) + damage + token.slice(at), { name: 'Error', code: 'malformed' })
    }
  }
})

test('text is cut before it is copied, and is still too large', () => {
  refuses('A'.repeat(1 << 28), { code: 'too_large' })
  refuses('é'.repeat(1 << 20), { code: 'too_large' })
  refuses(`${token}${' '.repeat(1 << 20)}`, { code: 'too_large' })
})

test('damage anywhere is refused, and never believed', () => {
  const random = generator(20251122)
  const alphabet = 'ABCxyz019-_.=+/ \n\0é\ud800'
  for (let round = 0; round < 20_000; round += 1) {
    const at = random(token.length)
    const end = at + random(3)
    const put = Array.from({ length: random(3) }, () => alphabet[random(alphabet.length)]).join('')
    assertHarmless(token.slice(0, at) + put + token.slice(end), `round ${round}`)
  }
})

test('random bytes are refused', () => {
  const random = generator(7)
  for (let round = 0; round < 5_000; round += 1) {
    const noise = Buffer.from(Array.from({ length: random(600) }, () => random(256)))
    assertHarmless(noise, `round ${round}`)
    assertHarmless(noise.toString('latin1'), `round ${round}`)
    assertHarmless(noise.toString('base64'), `round ${round}`)
  }
})

/** What is not refused with a word has to be the license itself. */
function assertHarmless(data, where) {
  let license
  try {
    license = product.verify(data)
  } catch (error) {
    assert.match(error.code, /^(malformed|wrong_kind|unknown_key|bad_signature)$/, where)
    return
  }
  assert.equal(license.json, json, where)
}

/** Numbers below a bound, the same on every run (a linear congruential generator). */
function generator(seed) {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}
