'use strict'
// Promises for what is done on another thread.

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

module.exports = { Recorder, asked }
