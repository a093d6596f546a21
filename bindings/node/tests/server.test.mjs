// The whole life of a license, with a real license server.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { Product } from '../index.mjs'
import { keepSynced } from '../refresh.mjs'
import { EXAMPLE } from './example.mjs'
import { emptyFolder } from './folder.mjs'
import { LicenseServer, MISSING } from './license_server.mjs'

const LICENSE = {
  customer_name: 'Example Labs', features: ['reports'], valid_days: 30, max_machines: 10,
  entitlements: [{ id: 'exports', meter: 'count', per: 'ever', max: 50 }],
}

/** A server that has sold a license, and installations on machines of their own. */
async function sold(t, license = {}) {
  const server = await LicenseServer.start(t)
  const { license: made, keys } = await server.sell('myapp', { ...LICENSE, ...license })
  const open = (machine, folder = emptyFolder(t)) =>
    new Product('myapp', keys, { machine }).open(folder, server.settings)
  const change = (method, what = '', body) =>
    server.ask(method, `/licenses/${made.id}${what}`, body)
  return { server, license: made, keys, open, change }
}

const online = (name, run) => test(name, { skip: MISSING }, run)

online('a license is activated, used, suspended, reinstated, renewed and revoked', async (t) => {
  const { server, license, open, change } = await sold(t)
  const installation = open('one')
  assert.equal(installation.allows('reports'), false)
  await installation.call('activation', license.license_key)
  assert.equal(installation.allows('reports'), true)

  await installation.record('exports', 40)
  await installation.sync()
  await installation.sync()
  assert.equal(await server.used(license, 'exports'), 40)
  await assert.rejects(installation.record('exports', 11), { code: 'limit_exceeded' })
  const { issuer } = installation.status()
  assert.equal(issuer.status, 'ok')
  assert.ok(issuer.next_contact > issuer.last_contact)

  await change('POST', '/suspend', { reason: 'not paid' })
  await installation.sync()
  assert.equal(installation.status().issuer.status, 'suspended')
  await change('POST', '/reinstate', {})
  await installation.sync()
  assert.equal(installation.status().issuer.status, 'ok')
  const before = installation.status().license.valid_until
  await change('POST', '/renew', { valid_days: 60 })
  await installation.call('renewal')
  assert.ok(installation.status().license.valid_until > before)
  await change('DELETE')
  await installation.sync()
  assert.deepEqual([installation.allows('reports'), installation.status().reason],
    [false, 'revoked'])
})

online('a deactivation frees the machine for another', async (t) => {
  const { license, open } = await sold(t, { max_machines: 1 })
  const [one, two] = [open('one'), open('two')]
  await one.call('activation', license.license_key)
  await assert.rejects(two.call('activation', license.license_key), (error) => {
    assert.equal(error.code, 'refused')
    assert.match(error.message, /machine/)
    return true
  })
  assert.equal(two.allows('reports'), false)
  await one.call('deactivation')
  assert.equal(one.allows('reports'), false)
  await two.call('activation', license.license_key)
  assert.equal(two.allows('reports'), true)
})

online('a license key that nobody sold is refused', async (t) => {
  const { open } = await sold(t)
  const installation = open('one')
  const key = 'ABCD-EFGH-JKMN-PQRS-TVWX'
  await assert.rejects(installation.call('activation', key), (error) => {
    assert.equal(error.code, 'refused')
    assert.ok(!error.message.includes(key), error.message)
    return true
  })
})

online('the newest keys and the newest list of revocations are fetched by name', async (t) => {
  const { license, open, change } = await sold(t)
  const installation = open('one')
  await assert.rejects(installation.call('keys'), { code: 'not_licensed' })
  await installation.call('activation', license.license_key)
  await installation.call('keys')
  await installation.call('keys', license.license_key)
  await installation.call('revocations')
  assert.equal(installation.allows('reports'), true)
  await change('DELETE')
  await installation.call('revocations')
  assert.deepEqual([installation.allows('reports'), installation.status().reason],
    [false, 'revoked'])
})

online('seats are taken while there are any, renewed, borrowed, and given back', async (t) => {
  const terms = { seat_seconds: 600, borrow_days: 30 }
  const { license, open } = await sold(t, { license_type: 'floating', max_seats: 2, terms })
  const [one, two] = [open('one'), open('two')]
  for (const it of [one, two]) await it.call('activation', license.license_key)
  const ann = await one.seat('ann')
  assert.equal(ann.held, true)
  assert.ok(ann.expires - Date.now() > 500_000)
  const bob = await two.seat('bob', { borrowDays: 20 })
  assert.ok(bob.expires - Date.now() > 19 * 86_400_000)
  await assert.rejects(two.seat('cyd'), { code: 'no_seat' })
  await ann.renew()
  await ann.release()
  assert.deepEqual([ann.held, ann.expires], [false, null])
  const cyd = await two.seat('cyd')
  assert.equal(cyd.held, true)
})

online('a hundred syncs at the same time are few, and count once', async (t) => {
  const { server, license, open } = await sold(t)
  const installation = open('one')
  await installation.call('activation', license.license_key)
  await installation.record('exports', 5)
  await Promise.all(Array.from({ length: 100 }, () => installation.sync()))
  assert.equal(await server.used(license, 'exports'), 5)
})

online('several installations count together', async (t) => {
  const { server, license, open } = await sold(t)
  const all = ['one', 'two', 'three'].map((machine) => open(machine))
  await Promise.all(all.map(async (it, at) => {
    await it.call('activation', license.license_key)
    await it.record('exports', at + 1)
    await it.sync()
  }))
  assert.equal(await server.used(license, 'exports'), 6)
})

online('a refresher keeps all of it up to date by itself', async (t) => {
  const { server, license, open, change } = await sold(t)
  const installation = open('one')
  await installation.call('activation', license.license_key)
  await installation.record('exports', 3)
  await change('DELETE')
  const errors = []
  // What it waits for is a day away.
  const days = { status: later, sync: () => installation.sync() }
  function later() {
    const status = installation.status()
    const { next_contact: next } = status.issuer
    const known = status.reason === 'revoked'
    return { ...status, issuer: { ...status.issuer, next_contact: known ? next : status.at } }
  }
  t.mock.method(Math, 'random', () => 0)
  const refresher = keepSynced(days, { onError: (error) => errors.push(error) })
  const ended = new Promise((resolve) => {
    const timer = setInterval(() => {
      if (installation.allows('reports')) return
      clearInterval(timer)
      resolve()
    }, 10)
  })
  await ended
  await refresher.stop()
  assert.deepEqual([errors, await server.used(license, 'exports')], [[], 3])
})

/** Runs the example, which has one line to say. */
function run(home, url, more) {
  const args = [url, 'keys.json', 'myapp', 'state', ...more, 'machine=example']
  const env = { ...process.env, no_proxy: '127.0.0.1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [
    path.join(EXAMPLE, 'online.mjs'), ...args,
  ], { cwd: home, encoding: 'utf8', timeout: 60_000, env })
  return { status, told: stdout && JSON.parse(stdout), stderr }
}

online('the example activates, reports, and says what went wrong', async (t) => {
  const { server, license, keys, change } = await sold(t)
  const home = emptyFolder(t)
  mkdirSync(path.join(home, 'state'))
  writeFileSync(path.join(home, 'keys.json'), keys)
  const good = (used, { status, told, stderr }) =>
    assert.deepEqual([status, told?.status, told?.used, stderr], [0, 'ok', used, ''])
  good(3, run(home, server.url, ['3', license.license_key]))
  good(5, run(home, `${server.url}/`, ['2']))
  assert.equal(await server.used(license, 'exports'), 5)
  const away = run(home, 'http://127.0.0.1:9', ['1'])
  assert.deepEqual([away.status, away.told.status, away.told.used], [3, 'ok', 6])
  assert.match(away.stderr, /^unreachable: /)
  const wrong = run(home, server.url, ['0', 'ABCD-EFGH-JKMN-PQRS-TVWX'])
  assert.deepEqual([wrong.status, wrong.told.status, wrong.told.used], [1, 'ok', 6])
  assert.match(wrong.stderr, /^refused: /)
  assert.equal(await server.used(license, 'exports'), 6)
  const over = run(home, server.url, ['60'])
  assert.deepEqual([over.status, over.told.used], [1, 6])
  assert.match(over.stderr, /^limit_exceeded: /)
  await change('DELETE')
  assert.equal(run(home, server.url, ['0']).told.status, 'revoked')
  for (const args of [[], [server.url, 'keys.json', 'myapp', 'state', 'x']]) {
    const { status, stderr } = spawnSync(process.execPath, [
      path.join(EXAMPLE, 'online.mjs'), ...args,
    ], { cwd: home, encoding: 'utf8' })
    assert.deepEqual([status, stderr.split(' ')[0]], [2, 'usage:'])
  }
})
