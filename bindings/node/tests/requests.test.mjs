// What an installation asks of its vendor, and what it makes of the answers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Product } from '../index.mjs'
import { emptyFolder } from './folder.mjs'
import { ID, answer, read } from './issuer.mjs'
import { NOW, vendor } from './vendor.mjs'

const invalid = { name: 'TypeError', code: 'invalid_argument' }

/** A new installation, with a license where one is given. */
async function installed(t, license = vendor.license()) {
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const installation = product.open(emptyFolder(t))
  if (license !== null) await installation.apply(license)
  return { product, installation }
}

test('a request is text to send, of the kind that was asked for', async (t) => {
  const { product, installation } = await installed(t, null)
  const code = installation.request()
  assert.match(code, /^eJ[\w+/]+={0,2}$/)
  assert.ok(JSON.stringify(read(code)).includes('"myapp"'))
  assert.equal(installation.request('license'), code) // While the clock stands still.
  product.set('clock', NOW + 1)
  assert.notEqual(read(installation.request('license')).nonce, read(code).nonce)
  assert.notDeepEqual(read(installation.request('clock')), read(code))
  for (const what of ['', 'licens', '\0']) {
    const error = { name: 'Error', code: 'invalid_argument' }
    assert.throws(() => installation.request(what), error)
  }
  for (const bad of [null, 1, {}, [], true]) {
    assert.throws(() => installation.request(bad), invalid)
    assert.throws(() => installation.request('license', bad), invalid)
  }
})

test('an activation brings a license, and a deactivation takes it away', async (t) => {
  const { installation } = await installed(t, null)
  assert.throws(() => installation.request('activation'), { code: 'not_licensed' })
  const asked = installation.request('activation', 'ABCD-EFGH-4711')
  assert.equal(read(asked).key, 'ABCD-EFGH-4711')
  await installation.apply(answer(asked, { license: [vendor.license()] }))
  assert.equal(installation.allows('reports'), true)
  assert.equal(read(installation.request('activation')).key, undefined)
  const freed = answer(installation.request('deactivation'), { seq: 2 })
  await installation.apply(freed)
  assert.equal(installation.allows('reports'), false)
  await installation.apply(vendor.license())
  await assert.rejects(installation.apply(freed), { code: 'already_used' })
  assert.equal(installation.allows('reports'), true)
})

test('seats are asked for, leased and given back', async (t) => {
  const { installation } = await installed(t)
  for (const [what, wrong] of [['seat'], ['seat', 'a\tb'], ['borrow', 'ann'], ['sync', 'ann']]) {
    assert.throws(() => installation.request(what, wrong), { code: 'invalid_argument' })
  }
  const borrowed = read(installation.request('borrow', '30 Zo\u00eb'))
  assert.deepEqual(borrowed.seat, { holder: 'Zo\u00eb', days: 30 })
  const lease = answer(installation.request('seat', 'ann'))
  await installation.apply(lease)
  await installation.apply(lease)
  await installation.apply(answer(installation.request('release', 'ann')))
  await assert.rejects(installation.apply(lease), { code: 'already_used' })
  const theirs = answer(installation.request('seat', 'ann'), { installation: ID })
  await assert.rejects(installation.apply(theirs), { code: 'wrong_installation' })
})
