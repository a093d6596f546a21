// Every refusal of docs/format.md that version 0.1 can give arrives as an Error with its word.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Product } from '../index.mjs'
import { NOW, DAY, claimSet, stranger, vendor } from './vendor.mjs'

const TABLE = new URL('../../../tests/vectors/codes.json', import.meta.url)
const HASH = 'A'.repeat(22)
const product = (settings) => new Product('myapp', vendor.keys(), { clock: NOW, ...settings })
const bound = (binding) => vendor.license({ binding })
const machine = (members) =>
  bound({ machine: { v: 1, need: 1, parts: { disk: [HASH] }, ...members } })
const keyed = (members) => new Product('myapp', vendor.keys(members), { clock: NOW })
const keySet = (claims, header) => vendor.sign(
  { iss: 'acme', aud: 'myapp', iat: NOW, epoch: 2, keys: [stranger.jwk], ...claims },
  { typ: 'lic-keys+jwt', ...header },
)

function altered() {
  const [head, body, signature] = vendor.license().split('.')
  const other = Buffer.from(body, 'base64url').toString().replace('"reports"', '"reportz"')
  return [head, Buffer.from(other).toString('base64url'), signature].join('.')
}

const CASES = [
  ['invalid_argument', 'a bad product code', () => new Product('My App', vendor.keys())],
  ['invalid_argument', 'an unknown setting', () => product().set('machine_fil', '/x')],
  ['invalid_argument', 'a clock that is no time', () => product({ clock: 'soon' })],
  ['malformed', 'an empty text', () => product().verify('')],
  ['malformed', 'a text that is no license', () => product().verify('not a license')],
  ['malformed', 'a member twice', () => product().verify(vendor.sign('{"a":1,"a":1}'))],
  ['malformed', 'a header member too many', () => product().verify(vendor.sign({}, { crit: [] }))],
  ['unknown_key', "another vendor's license", () => product().verify(stranger.license())],
  ['unknown_key', "another vendor's key under our key's name", () =>
    product().verify(vendor.sign(claimSet(), { kid: stranger.kid }))],
  ['bad_signature', 'one feature altered', () => product().verify(altered())],
  ['bad_signature', "a stranger who uses our key's name", () =>
    product().verify(stranger.sign(claimSet(), { kid: vendor.kid }))],
  ['wrong_product', 'a license for another product', () =>
    product().verify(vendor.license({}, { aud: 'other' }))],
  ['wrong_machine', 'a license for another machine', () => product().verify(machine())],
  ['wrong_machine', 'a license for another identity', () =>
    product({ machine: 'cluster-2' }).verify(machine({ parts: { identity: [HASH] } }))],
  ['wrong_kind', 'a key set for a license', () => product().verify(keySet())],
  ['wrong_kind', 'a license for a key set', () => product().trust(vendor.license())],
  ['wrong_issuer', 'another issuer', () => product({ issuer: 'acme' }).verify(vendor.license())],
  ['too_new', 'a capability word', () => product().verify(vendor.license({}, { must: ['qr-9'] }))],
  ['too_new', 'a later binding', () => product().verify(machine({ v: 2 }))],
  ['too_large', 'a text of 1 MiB', () => product().verify('A'.repeat(1 << 20))],
  ['too_large', 'a file of 1 MiB', () => product().verify(new Uint8Array(1 << 20).fill(65))],
  ['wrong_installation', 'a binding to an installation', () =>
    product().verify(bound({ installation: '6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c' }))],
  ['wrong_installation', 'a binding to another instance', () =>
    product({ instance: 'https://a.example' }).verify(bound({ instance: 'https://b.example' }))],
  ['not_yet_valid', 'before its first second', () =>
    product().verify(vendor.license({ valid_from: NOW + 1 }))],
  ['expired', 'at its end', () => product({ clock: NOW + 30 * DAY }).verify(vendor.license())],
  ['expired', 'at the end of its grace', () =>
    product({ clock: NOW + 31 * DAY }).verify(vendor.license({ stages: { ended: { deny: 1 } } }))],
  ['token_expired', 'not renewed in time', () =>
    product({ clock: NOW + DAY }).verify(vendor.license({}, { exp: NOW + DAY }))],
  ['older_than_installed', 'the same signed key set again', () => {
    const trusting = product()
    trusting.trust(keySet())
    trusting.trust(keySet())
  }],
  ['invalid_key', 'no key', () => new Product('myapp', 'not a key')],
  ['invalid_key', 'the private half', () => keyed({ d: 'A'.repeat(43) })],
  ['weak_key', 'a key of small order', () => new Product('myapp', `ed25519:${'A'.repeat(43)}`)],
  ['key_retired', 'signed after the end of its key', () =>
    keyed({ state: 'retired', exp: NOW }).verify(vendor.license())],
  ['key_compromised', 'a stolen key', () =>
    keyed({ state: 'compromised' }).verify(vendor.license())],
  ['key_not_yet_valid', 'signed before its key', () =>
    keyed({ nbf: NOW + 1 }).verify(vendor.license())],
]

for (const [code, what, call] of CASES) {
  test(`${code}: ${what}`, () => {
    assert.throws(call, (error) => {
      assert.equal(error.constructor, Error)
      assert.equal(error.code, code)
      assert.match(error.message, /^.+: .+$/)
      assert.doesNotMatch(error.message, /\n/)
      assert.match(error.stack, /refusals\.test\.mjs/)
      return true
    })
  })
}

test('a promise is rejected with the same kind of error, and says who asked', async () => {
  const lost = product({ machineFile: '/nowhere/machine-id' })
  await assert.rejects(lost.machine(), (error) => {
    assert.equal(error.constructor, Error)
    assert.equal(error.code, 'io')
    assert.match(error.message, /\/nowhere\/machine-id/)
    assert.match(error.stack, /refusals\.test\.mjs/)
    return true
  })
})

test('verify gives the same error where the machine cannot be read', () => {
  const lost = product({ machineFile: '/nowhere/machine-id' })
  assert.throws(() => lost.verify(machine()), { code: 'io' })
})

test('every word of this version has a case', () => {
  // The rest need a server, an installation, or a private key.
  const later = ['internal', 'revoked', 'suspended', 'clock_rollback', 'sync_overdue']
  const numbers = [1, 2, ...range(10, 26), 34, ...range(50, 54)]
  const rows = JSON.parse(readFileSync(TABLE)).filter(({ number }) => numbers.includes(number))
  const words = rows.map(({ slug }) => slug)
  const seen = new Set(['io', ...later, ...CASES.map(([code]) => code)])
  assert.deepEqual(words.filter((word) => !seen.has(word)), [])
})

test('a text for people cannot forge a line of a log', () => {
  const forged = vendor.license({}, { aud: 'other' })
  assert.throws(() => product().verify(`${forged.slice(0, 9)}\u202e\u0000`), (error) => {
    assert.equal(error.code, 'malformed')
    assert.doesNotMatch(error.message, /[\u0000-\u001f\u202e]/)
    return true
  })
})

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}
