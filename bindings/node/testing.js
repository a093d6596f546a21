'use strict'
// Installations for the tests of a product, one in every state that it may meet: docs/testing.md.

const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { Product } = require('./index.js')
const { instant, options, wrongCall } = require('./checks.js')

const VERSION = 1
const DEFAULT = path.join(__dirname, 'testing.json')
const DAY = 86_400

// Nobody else has it, so nobody else makes a Prepared.
const MADE = Symbol('made')

class Kit {
  #product
  #folders = new Map()

  constructor(file = DEFAULT) {
    const kit = read(file)
    try {
      this.#product = { code: kit.product, keys: kit.keys }
      this.features = Object.freeze(kit.features.map(({ id }) => id))
      this.states = new Map()
      for (const state of kit.states) {
        this.states.set(state.name, stateOf(state, kit.settings))
        this.#folders.set(state.name, filesOf(kit.folders[state.folder]))
      }
    } catch (cause) {
      throw failure('invalid_argument', noKit(file), cause)
    }
    Object.freeze(this)
  }

  get code() {
    return this.#product.code
  }

  get keys() {
    return this.#product.keys
  }

  product(state, settings = {}) {
    const { clock, settings: own } = this.#state(state)
    const given = options(settings)
    const product = new Product(this.code, this.keys, { clock, ...own })
    for (const [name, value] of given) product.set(name, value)
    return product
  }

  installation(state, settings = {}) {
    const product = this.product(state, settings)
    return new Prepared(MADE, this.#state(state), product, this.#folders.get(state))
  }

  async with(state, use, settings = {}) {
    const prepared = this.installation(state, settings)
    try {
      return await use(prepared.installation, prepared)
    } finally {
      prepared.close()
    }
  }

  #state(name) {
    const state = this.states.get(name)
    if (state !== undefined) return state
    const names = [...this.states.keys()]
    const near = nearest(String(name), names)
    const hint = near === null ? '' : `; did you mean ${near}?`
    const what = `this kit has no state ${name}${hint}: use one of ${names.join(', ')}`
    throw failure('invalid_argument', what)
  }
}

class Prepared {
  #now
  #closed = false

  constructor(proof, state, product, files) {
    if (proof !== MADE) throw wrongCall('a Prepared is made by a Kit only')
    this.state = state
    this.product = product
    this.directory = mkdtempSync(path.join(tmpdir(), 'licentia-'))
    this.#now = instant(state.clock)
    try {
      for (const [name, data] of files) writeFileSync(path.join(this.directory, name), data)
      this.installation = product.open(this.directory)
    } catch (error) {
      this.#remove()
      throw error
    }
    Object.freeze(this)
  }

  clock(at) {
    const seconds = instant(at)
    if (seconds === null) throw wrongCall('a time is missing')
    this.product.set('clock', seconds)
    this.#now = seconds
  }

  days(days) {
    this.clock(this.#now + Math.round(days * DAY))
  }

  close() {
    if (this.#closed) return
    this.#closed = true
    try {
      this.installation.close()
    } finally {
      this.#remove()
    }
  }

  #remove() {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** A kit as it is written; its members are not looked at. */
function read(file) {
  const text = readFileSync(file, 'utf8')
  let kit = null
  try {
    kit = JSON.parse(text)
  } catch (cause) {
    throw failure('invalid_argument', noKit(file), cause)
  }
  if (!Number.isInteger(kit?.testkit)) throw failure('invalid_argument', noKit(file))
  if (kit.testkit > VERSION) {
    const what = `the kit has version ${kit.testkit}, and ${VERSION} is known`
    throw failure('too_new', `${what}: update licentia, or make the kit anew`)
  }
  return kit
}

function stateOf({ name, about, clock, settings, expect }, common) {
  return Object.freeze({
    name,
    about,
    clock: new Date(clock * 1000),
    settings: Object.freeze({ ...common, ...settings }),
    reason: expect.reason,
    inForce: expect.in_force,
    access: Object.freeze({ ...expect.access }),
    warnings: Object.freeze([...expect.warnings]),
  })
}

/** What a file begins with is in the kit; the rest, up to its size, is zeros. */
function filesOf(files) {
  return Object.entries(files).map(([name, { size, base64 }]) => {
    if (path.basename(name) !== name) throw new RangeError('a file outside its folder')
    const data = Buffer.alloc(size)
    data.write(base64, 'base64')
    return [name, data]
  })
}

/** The name that is most like another, if any is. */
function nearest(name, names) {
  const far = names.map((other) => [distance(name, other), other])
  const [best, near] = far.reduce((a, b) => (b[0] < a[0] ? b : a), [Infinity, null])
  return best <= Math.max(2, name.length / 3) ? near : null
}

/** How many letters have to be changed, added or taken away. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + same))
    }
    row = next
  }
  return row[b.length]
}

function noKit(file) {
  return `${file} is no kit: make one with \`licentia testkit\``
}

function failure(code, message, cause) {
  const error = cause === undefined ? new Error(message) : new Error(message, { cause })
  return Object.assign(error, { code })
}

module.exports = { Kit, Prepared }
