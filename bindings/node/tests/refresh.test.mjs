// licentia/refresh: what syncs by itself, when, and what ends it.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Product } from '../index.mjs'
import { keepSynced } from '../refresh.mjs'
import { emptyFolder } from './folder.mjs'
import { Issuer, silent } from './issuer.mjs'
import { warningsOf } from './servers.mjs'
import { DAY, NOW, vendor } from './vendor.mjs'

const [MINUTE, HOUR] = [60, 3600]
const OLD = Number(process.versions.node.split('.')[0]) < 20
const invalid = { name: 'TypeError', code: 'invalid_argument' }

/** With timers that go by only as they are told. */
const timed = (name, run) => test(name, { skip: OLD && 'this Node mocks no timers' }, run)

/**
 * An installation as a refresher sees it, its time, and what was done with it at which time. A sync
 * is answered with when to ask next, or fails with an error.
 */
class Play {
  at = 0
  license = {}
  reason = 'ok'
  issuer = { last_contact: null, next_contact: null }
  syncs = []
  answer = () => this.at + DAY

  constructor(t) {
    this.t = t
    t.mock.method(Math, 'random', () => 0)
    t.mock.timers.enable({ apis: ['setTimeout'] })
  }

  status() {
    if (this.broken) throw this.broken
    return { at: this.at, license: this.license, reason: this.reason, issuer: this.issuer }
  }

  async sync() {
    this.syncs.push(this.at)
    await turn()
    const next = this.answer()
    if (next instanceof Error) throw next
    this.issuer = { last_contact: this.at, next_contact: next }
  }

  /** Lets time go by, in steps of so much. */
  async go(seconds, step = 10) {
    await settle()
    for (const end = this.at + seconds; this.at < end;) {
      this.at += step
      this.t.mock.timers.tick(step * 1000)
      await settle()
    }
  }
}

async function settle() {
  for (let at = 0; at < 5; at += 1) await turn()
}

timed('it asks at once, and then when the vendor says', async (t) => {
  const play = new Play(t)
  play.at = NOW
  const refresher = keepSynced(play)
  await play.go(1, 0.1)
  assert.deepEqual(play.syncs, [NOW + 0.1])
  await play.go(2 * DAY)
  const waits = play.syncs.slice(1).map((at, index) => at - play.syncs[index])
  assert.equal(waits.length, 2)
  for (const wait of waits) assert.ok(wait >= DAY && wait <= DAY + 2 * MINUTE, `${wait}`)
  await refresher.stop()
  await play.go(2 * DAY, HOUR)
  assert.equal(play.syncs.length, 3)
})

timed('it looks at least once an hour, for another may have changed it', async (t) => {
  const play = new Play(t)
  play.issuer = { last_contact: 0, next_contact: 30 * DAY }
  keepSynced(play)
  await play.go(HOUR / 2)
  play.issuer = { last_contact: 0, next_contact: 100 }
  await play.go(HOUR / 2 + 20)
  assert.equal(play.syncs.length, 1)
  assert.ok(play.syncs[0] <= HOUR + 20, `${play.syncs}`)
})

timed('without a license it waits for one, and looks every minute', async (t) => {
  const play = new Play(t)
  play.license = null
  keepSynced(play)
  await play.go(HOUR)
  assert.deepEqual(play.syncs, [])
  play.license = {}
  await play.go(2 * MINUTE)
  assert.equal(play.syncs.length, 1)
})

timed('where the vendor does not say when, it asks once a day', async (t) => {
  const play = new Play(t)
  play.answer = () => null
  keepSynced(play)
  await play.go(3 * DAY, MINUTE)
  assert.ok(play.syncs.length >= 3 && play.syncs.length <= 4, `${play.syncs}`)
})

timed('where the clock here is ahead of the server, it asks no more often than it should',
  async (t) => {
    const play = new Play(t)
    play.at = 30 * DAY
    // By its own clock, which is a week behind, the server wants to be asked in half a day.
    play.sync = async () => {
      play.syncs.push(play.at)
      const last = play.at - 7 * DAY
      play.issuer = { last_contact: last, next_contact: last + DAY / 2 }
    }
    keepSynced(play)
    keepSynced(play)
    await play.go(10)
    // Both come at the same time here, where chance gives both the same.
    assert.equal(play.syncs.length, 2)
    await play.go(DAY / 2 - MINUTE, MINUTE)
    assert.equal(play.syncs.length, 2)
    await play.go(2 * DAY, MINUTE)
    assert.ok(play.syncs.length >= 6 && play.syncs.length <= 10, `${play.syncs.length}`)
  })

timed('a time to ask that is none is no reason to ask without end', async (t) => {
  const play = new Play(t)
  play.answer = () => play.at
  keepSynced(play)
  await play.go(HOUR)
  assert.ok(play.syncs.length <= 61, `${play.syncs.length} in an hour`)
  assert.ok(play.syncs.length > 30)
})

timed('without a server it waits for one, and nobody hears of it', async (t) => {
  const play = new Play(t)
  const none = Object.assign(new Error('no license server'), { code: 'no_transport' })
  play.answer = () => none
  const errors = []
  keepSynced(play, { onError: (error) => errors.push(error) })
  await play.go(HOUR)
  assert.ok(play.syncs.length >= 50, 'it looks every minute')
  play.answer = () => play.at + DAY
  await play.go(2 * MINUTE)
  const { length } = play.syncs
  await play.go(HOUR)
  assert.deepEqual([play.syncs.length, errors], [length, []])
})

timed('after a failure it waits longer and longer, up to an hour, and told is each', async (t) => {
  const play = new Play(t)
  const failure = Object.assign(new Error('no'), { code: 'unreachable' })
  play.answer = () => failure
  const errors = []
  keepSynced(play, { onError: (error) => errors.push(error) })
  await play.go(4 * HOUR)
  const waits = play.syncs.slice(1).map((at, index) => at - play.syncs[index])
  assert.deepEqual(waits.map((wait) => Math.floor(wait / MINUTE)).slice(0, 7),
    [1, 2, 4, 8, 16, 32, 60])
  assert.deepEqual(errors, play.syncs.map(() => failure))
  play.answer = () => play.at + DAY
  await play.go(HOUR + MINUTE)
  const { length } = play.syncs
  await play.go(DAY / 2, MINUTE)
  assert.equal(play.syncs.length, length, 'it is as if nothing had been')
})

timed('the core says when to try again, where it can', async (t) => {
  const play = new Play(t)
  play.answer = () => {
    play.issuer = { last_contact: null, next_contact: play.at + 2 * HOUR }
    return new Error('no')
  }
  keepSynced(play)
  await play.go(2 * HOUR)
  assert.equal(play.syncs.length, 1)
})

timed('one that always fails keeps nobody from asking', async (t) => {
  const play = new Play(t)
  keepSynced(play)
  await play.go(HOUR, MINUTE)
  assert.equal(play.syncs.length, 1)
  // Whose settings are wrong tries again and again, and says so in the folder.
  const fail = () => { play.issuer = { ...play.issuer, next_contact: play.at + HOUR } }
  for (let times = 0; times < 12; times += 1) {
    fail()
    await play.go(10 * MINUTE, MINUTE)
  }
  assert.ok(play.syncs.length > 1)
  play.answer = () => new Error('no')
  await play.go(2 * HOUR, MINUTE)
  const { length } = play.syncs
  play.answer = () => play.at + DAY
  for (let times = 0; times < 12; times += 1) {
    fail()
    await play.go(10 * MINUTE, MINUTE)
  }
  assert.ok(play.syncs.length > length, 'nor when it has failed itself')
})

timed('where the key was stolen it asks for the license in its place', async (t) => {
  const play = new Play(t)
  play.license = null
  play.reason = 'key_compromised'
  keepSynced(play)
  await play.go(DAY, MINUTE)
  assert.ok(play.syncs.length >= 1 && play.syncs.length <= 2, `${play.syncs}`)
  // And no more than each hour where the status does not say who answered.
  play.sync = async () => { play.syncs.push(play.at) }
  play.issuer = { last_contact: null, next_contact: null }
  play.syncs = []
  await play.go(DAY, MINUTE)
  assert.ok(play.syncs.length >= 22 && play.syncs.length <= 25, `${play.syncs.length}`)
})

timed('a folder that cannot be looked at is looked at again', async (t) => {
  const play = new Play(t)
  play.broken = Object.assign(new Error('gone'), { code: 'io' })
  const errors = []
  keepSynced(play, { onError: (error) => errors.push(error.code) })
  await play.go(5 * MINUTE)
  assert.deepEqual(play.syncs, [])
  assert.ok(errors.length >= 4 && errors.every((code) => code === 'io'), `${errors}`)
  play.broken = undefined
  await play.go(2 * MINUTE)
  assert.equal(play.syncs.length, 1)
})

timed('of several with one folder the first asks for all', async (t) => {
  const play = new Play(t)
  let random = 0
  t.mock.method(Math, 'random', () => (random += 0.1) % 1)
  const all = Array.from({ length: 8 }, () => keepSynced(play))
  await play.go(MINUTE, 0.5)
  assert.equal(play.syncs.length, 1)
  for (let day = 2; day <= 4; day += 1) {
    await play.go(DAY - 4 * MINUTE, 2 * MINUTE)
    await play.go(4 * MINUTE, 0.5)
    assert.equal(play.syncs.length, day)
  }
  await Promise.all(all.map((one) => one.stop()))
})

timed('what the host throws on hearing of an error is a warning, and stops nothing', async (t) => {
  const play = new Play(t)
  const warnings = warningsOf(t)
  play.answer = () => new Error('no')
  const throws = [() => { throw new Error('the host\'s own') }, () => { throw null },
    async () => { throw new Error('the host\'s own') }]
  for (const onError of throws) {
    const count = play.syncs.length
    const refresher = keepSynced(play, { onError })
    await play.go(10 * MINUTE)
    assert.ok(play.syncs.length >= count + 3)
    await refresher.stop()
  }
  const names = new Set(warnings.map(({ name }) => name))
  assert.deepEqual([...names], ['LicentiaWarning'])
  assert.match(warnings[0].message, /the host's own/)
})

timed('a signal ends it, before or after it has begun', async (t) => {
  const play = new Play(t)
  const control = new AbortController()
  keepSynced(play, { signal: AbortSignal.abort() })
  const refresher = keepSynced(play, { signal: control.signal })
  await play.go(MINUTE)
  assert.equal(play.syncs.length, 1)
  control.abort()
  await play.go(3 * DAY, HOUR)
  assert.equal(play.syncs.length, 1)
  await refresher.stop()
  await refresher.stop()
})

timed('it may be stopped at any moment', async (t) => {
  const play = new Play(t)
  await keepSynced(play).stop()
  for (let turns = 0; turns < 5; turns += 1) {
    const refresher = keepSynced(play)
    for (let at = 0; at < turns; at += 1) await null
    await refresher.stop()
  }
  await play.go(DAY, HOUR)
  assert.deepEqual(play.syncs, [])
})

timed('whoever stops it waits for the sync under way', async (t) => {
  const play = new Play(t)
  let go
  const held = new Promise((resolve) => { go = resolve })
  const slow = { status: () => play.status(), sync: () => held }
  const refresher = keepSynced(slow)
  await play.go(MINUTE)
  let stopped = false
  const stopping = refresher.stop().then(() => { stopped = true })
  await settle()
  assert.equal(stopped, false)
  go()
  await stopping
})

test('what it cannot take is refused', (t) => {
  const installation = new Product('myapp', vendor.keys()).open(emptyFolder(t))
  for (const bad of [undefined, null, {}, { sync: () => {} }, { status: () => {} }, 'x']) {
    assert.throws(() => keepSynced(bad), invalid)
  }
  for (const bad of [null, [], true, { onErr: () => {} }, { onError: 'x' }, { onError: null },
    { signal: null }, { signal: true }, { signal: new AbortController() }]) {
    assert.throws(() => keepSynced(installation, bad), invalid)
  }
})

test('it keeps a real installation in sync', async (t) => {
  t.mock.method(Math, 'random', () => 0)
  const issuer = await Issuer.start(t)
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const installation = product.open(emptyFolder(t), issuer.settings)
  await installation.apply(vendor.license())
  issuer.changes = { status: 'revoked', sync_after: NOW + DAY }
  const errors = []
  const refresher = keepSynced(installation, { onError: (error) => errors.push(error) })
  for (let at = 0; installation.allows('reports'); at += 1) {
    assert.ok(at < 3000, 'it does not ask')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await refresher.stop()
  assert.deepEqual([issuer.asked, errors], [['sync'], []])
  assert.equal(installation.status().issuer.next_contact, NOW + DAY)
})

timed('two with one folder ask once, whoever is first', async (t) => {
  const issuer = await Issuer.start(t)
  issuer.changes = { sync_after: NOW + DAY }
  const folder = emptyFolder(t)
  const open = () =>
    new Product('myapp', vendor.keys(), { clock: NOW }).open(folder, issuer.settings)
  const both = [open(), open()]
  await both[0].apply(vendor.license())
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const chances = [0.5, 0.1]
  t.mock.method(Math, 'random', () => chances.shift() ?? 0.3)
  const refreshers = both.map((installation) => keepSynced(installation))
  await settle()
  t.mock.timers.tick(5000)
  while (both[0].status().issuer.next_contact === null) await turn()
  assert.equal(issuer.asked.length, 1)
  t.mock.timers.tick(20_000)
  await settle()
  await Promise.all(refreshers.map((refresher) => refresher.stop()))
  assert.equal(issuer.asked.length, 1)
})

/** How a process ends that has a refresher. */
function ends(script) {
  const module = (name) => JSON.stringify(fileURLToPath(new URL(`../${name}`, import.meta.url)))
  const { status, signal, stderr } = spawnSync(process.execPath, ['-e', `
    const { Product } = require(${module('index.js')})
    const { keepSynced } = require(${module('refresh.js')})
    const product = new Product('myapp', ${JSON.stringify(vendor.keys())}, { clock: ${NOW} })
    ${script}`], { encoding: 'utf8', timeout: 60_000 })
  return { status, signal, stderr }
}

test('no process stays for it', async (t) => {
  const folder = JSON.stringify(emptyFolder(t))
  const { url } = await silent(t)
  const settings = JSON.stringify({ server: url, proxy: 'none', license: vendor.license() })
  const done = { status: 5, signal: null, stderr: '' }
  assert.deepEqual(ends(`
    keepSynced(product.open(${folder}, ${settings}))
    process.exitCode = 5`), done)
})
