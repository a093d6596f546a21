// licentia/testing: every state of a kit is what its name promises.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Product } from 'licentia'
import { Kit, Prepared } from 'licentia/testing'
import { emptyFolder } from './folder.mjs'

const DEFAULT = new URL('../testing.json', import.meta.url)
const FIRST = new URL('../../python/tests/kit_1.json', import.meta.url)
const kit = new Kit()

for (const [name, file] of [['default', DEFAULT], ['first', FIRST]]) {
  test(`every state of the ${name} kit is what it promises`, async () => {
    const kit = new Kit(file)
    assert.equal(kit.states.size, 22)
    for (const [name, state] of kit.states) {
      await kit.with(name, (installation) => {
        const status = installation.status()
        assert.deepEqual([status.reason, status.in_force], [state.reason, state.inForce], name)
        const found = kit.features.map((id) => [id, installation.access(id)])
        assert.deepEqual(Object.fromEntries(found), { ...state.access }, name)
        const codes = status.warnings.map(({ code }) => code)
        for (const code of state.warnings) assert.ok(codes.includes(code), name)
      })
    }
  })
}

test('both module systems have the same classes', () => {
  const required = createRequire(import.meta.url)('licentia/testing')
  assert.deepEqual(Object.keys(required), ['Kit', 'Prepared'])
  assert.equal(required.Kit, Kit)
  assert.throws(() => new Prepared(), { code: 'invalid_argument' })
})

test('a kit has the features that it was made with', async () => {
  const kit = new Kit(fileURLToPath(FIRST))
  assert.equal(kit.code, 'other')
  assert.deepEqual(kit.features, ['audit_logs', 'requests', 'users', 'leases'])
  await kit.with('limit_reached', async (installation) => {
    assert.equal(installation.usage('users').used, 15)
    assert.equal(installation.gate('requests'), null)
    await assert.rejects(installation.recordKey('leases', 'x'), { code: 'limit_exceeded' })
  })
})

test('the folder goes when it is closed, whatever happened', async () => {
  const prepared = kit.installation('active')
  assert.ok(existsSync(path.join(prepared.directory, 'lock')))
  prepared.installation.recordLater('counter')
  prepared.close()
  prepared.close()
  assert.ok(!existsSync(prepared.directory))
  let folder = null
  await assert.rejects(kit.with('active', (_, { directory }) => {
    folder = directory
    throw new RangeError('mine')
  }), RangeError)
  assert.ok(folder !== null && !existsSync(folder))
  assert.equal(await kit.with('active', async () => 7), 7)
})

test('two of one state are apart', async () => {
  await kit.with('active', async (first) => {
    await first.record('counter', 3)
    assert.equal(first.allows('counter'), false)
    await kit.with('active', (second) => assert.equal(second.allows('counter'), true))
  })
})

test('the clock moves and stays', async () => {
  await kit.with('active', (installation, prepared) => {
    prepared.days(95)
    assert.equal(installation.access('feature'), 'warn')
    prepared.days(0.5)
    prepared.days(50)
    assert.equal(installation.status().reason, 'expired')
    const start = prepared.state.clock.getTime()
    prepared.clock(new Date(start + 150 * 86_400_000))
    prepared.days(1)
    assert.equal(installation.status().time.clock, start / 1000 + 151 * 86_400)
    prepared.clock(start / 1000)
    assert.equal(installation.status().time.suspect, true)
    for (const bad of [undefined, '2026-01-01', NaN, new Date(NaN)]) {
      assert.throws(() => prepared.clock(bad), { code: 'invalid_argument' })
    }
    assert.throws(() => prepared.days('soon'), { code: 'invalid_argument' })
  })
})

test('settings take the place of the kit\'s', async () => {
  const reason = (installation) => installation.status().reason
  assert.equal(await kit.with('expired', reason, { graceDays: 5 }), 'not_needed')
  const elsewhere = { machine: 'licentia-testkit-another' }
  assert.equal(await kit.with('wrong_machine', reason, elsewhere), 'ok')
  const product = kit.product('active', { clock: kit.states.get('expired').clock })
  assert.equal(product.code, 'myapp')
  assert.throws(() => kit.product('active', { clok: 1 }), { code: 'invalid_argument' })
})

test('another program opens the folder itself', async () => {
  await kit.with('active', (_, { directory }) => {
    const { clock } = kit.states.get('active')
    const theirs = new Product(kit.code, kit.keys, { clock }).open(directory)
    assert.equal(theirs.allows('feature'), true)
  })
})

test('an unknown state names the nearest', async () => {
  for (const [name, near] of [['expird', 'expired'], ['in-grace', 'in_grace']]) {
    const expected = (error) => {
      assert.equal(error.code, 'invalid_argument')
      assert.ok(error.message.includes(`did you mean ${near}?: use one of not_licensed, `))
      return true
    }
    assert.throws(() => kit.product(name), expected)
    assert.throws(() => kit.installation(name), expected)
    await assert.rejects(kit.with(name, () => {}), expected)
  }
  assert.throws(() => kit.product('?'), ({ message }) => !message.includes('mean'))
  assert.throws(() => kit.product(), { code: 'invalid_argument' })
})

test('what is no kit is refused', (t) => {
  const file = path.join(emptyFolder(t), 'kit.json')
  const kit = JSON.parse(readFileSync(DEFAULT, 'utf8'))
  const outside = { ...kit.folders, new: { '../x': { size: 0, base64: '' } } }
  const bad = ['', '{}', '[]', '1', 'null', JSON.stringify({ ...kit, states: [{}] }),
    JSON.stringify({ ...kit, folders: outside })]
  for (const text of bad) {
    writeFileSync(file, text)
    assert.throws(() => new Kit(file), { code: 'invalid_argument', message: /kit.json is no kit/ })
  }
  writeFileSync(file, JSON.stringify({ ...kit, testkit: 2 }))
  assert.throws(() => new Kit(file), { code: 'too_new' })
  writeFileSync(file, JSON.stringify({ ...kit, later: 1 }))
  assert.equal(new Kit(file).code, 'myapp')
  assert.throws(() => new Kit(`${file}.none`), { code: 'ENOENT' })
})
