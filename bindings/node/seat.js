'use strict'
// The class Seat.

const { wrongCall } = require('./checks.js')
const { afar } = require('./promises.js')

// Nobody else has it, so nobody else makes a Seat.
const GIVEN = Symbol('given')

class Seat {
  #native
  #change

  constructor(proof, native, change) {
    if (proof !== GIVEN) throw wrongCall('a Seat is made by seat only')
    this.#native = native
    this.#change = change
    Object.freeze(this)
  }

  get holder() {
    return this.#native.holder()
  }

  get expires() {
    const expires = this.#native.expires()
    return expires === null ? null : new Date(expires * 1000)
  }

  get held() {
    return this.#native.expires() !== null
  }

  async renew() {
    return await this.#change(afar(() => this.#native.renew()))
  }

  async release() {
    return await this.#change(afar(() => this.#native.release()))
  }
}

/** That nobody answers is no failure of what was done in the block: the lease ends by itself. */
async function dispose() {
  try {
    await this.release()
  } catch (error) {
    if (error.code !== 'unreachable') throw error
  }
}

// Not every Node that this runs on knows `await using`.
if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(Seat.prototype, Symbol.asyncDispose, { value: dispose })
}

module.exports = { GIVEN, Seat }
