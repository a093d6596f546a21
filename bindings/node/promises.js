'use strict'
// Promises for what is done on another thread.

/**
 * How many calls may wait for a network at a time: a server that does not answer keeps a thread of
 * the pool for each, and files and names wait for the same threads. Half of them, at the most.
 */
const AFAR = Math.max(1, Math.floor((Number(process.env.UV_THREADPOOL_SIZE) || 4) / 2))

/** As many records go together as keep neither thread for long. */
const BATCH = 256

/** What a promise gives. Its failure was made outside of any JavaScript: it says who asked. */
async function asked(promise) {
  try {
    return await promise
  } catch (error) {
    Error.captureStackTrace(error)
    throw error
  }
}

let free = AFAR
const waiting = []

/** The promise that `begin` gives, which is called when there is a thread for it. */
async function afar(begin) {
  if (free > 0) free -= 1
  else await new Promise((resolve) => waiting.push(resolve))
  try {
    return await begin()
  } finally {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
}

/**
 * What is done once for all who ask for it at the same time. Who asks while it is being done shares
 * the next time: what came after its begin may not be in it.
 */
class Shared {
  #begin
  #last = Promise.resolve()
  #next = null

  constructor(begin) {
    this.#begin = begin
  }

  async ask() {
    try {
      return await this.#share()
    } catch (error) {
      throw failure(error)
    }
  }

  #share() {
    if (this.#next === null) {
      this.#next = this.#last.then(() => {
        this.#next = null
        return this.#begin()
      })
      this.#last = this.#next.catch(() => {})
    }
    return this.#next
  }
}

/**
 * Counts for one installation. What comes while something is being written is written next, all
 * at once: one thread and one wait for the disk, however many there are.
 */
class Recorder {
  #native
  #changed
  #waiting = []
  #writing = false

  constructor(native, changed) {
    this.#native = native
    this.#changed = changed
  }

  record(feature, amount) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ feature, amount, resolve, reject })
      if (!this.#writing) this.#write()
    })
  }

  async #write() {
    this.#writing = true
    while (this.#waiting.length > 0) await this.#send()
    this.#writing = false
  }

  async #send() {
    const batch = this.#waiting.splice(0, BATCH)
    const features = batch.map(({ feature }) => feature)
    const amounts = batch.map(({ amount }) => amount)
    try {
      const failures = await this.#native.record(features, amounts)
      this.#changed()
      batch.forEach(({ resolve, reject }, at) => {
        if (failures[at] === null) resolve()
        else reject(failure(failures[at]))
      })
    } catch (error) {
      this.#changed()
      batch.forEach(({ reject }) => reject(failure(error)))
    }
  }
}

/** One of its own for each promise: whoever gets it may add to it. */
function failure({ code, message }) {
  return Object.assign(new Error(message), { code })
}

module.exports = { Recorder, Shared, afar, asked }
