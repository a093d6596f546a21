// Stands in for the login that your product has: yours takes its place in express.mjs and
// fastify.mjs. A program shows a bearer token, a person signs in with one and gets a session.

import { createHash, randomBytes } from 'node:crypto'

/** @typedef {import('licentia').Caller} Caller */

export const FORM =
  '<!doctype html><title>Sign in</title><form method=post><input name=token type=password>'

/** @param {string} text */
const hashed = (text) => createHash('sha256').update(text).digest('base64')

export class Login {
  /** @type {Map<string, Caller>} */
  #users = new Map()
  /** @type {Map<string, Caller>} */
  #sessions = new Map()

  /** @param {Iterable<[token: string, user: Caller]>} users who may sign in */
  constructor(users) {
    // By their hashes: how long a token is looked for says nothing about it.
    for (const [token, user] of users) this.#users.set(hashed(token), user)
  }

  /**
   * Who sent a request; `null` = a stranger.
   * @param {import('node:http').IncomingMessage} request
   */
  caller({ headers: { authorization, cookie = '' } }) {
    if (authorization !== undefined) {
      const [, token = ''] = authorization.match(/^bearer +(.+)$/i) ?? []
      return this.#users.get(hashed(token)) ?? null
    }
    const [, session = ''] = cookie.match(/(?:^|; *)session=([^;]*)/) ?? []
    return this.#sessions.get(hashed(session)) ?? null
  }

  /**
   * The cookie of a new session; `null` = nobody has this token. Behind TLS, add `; Secure`: it is
   * then never sent without it.
   * @param {string} token
   */
  begin(token) {
    const user = this.#users.get(hashed(token))
    if (user === undefined) return null
    const session = randomBytes(24).toString('base64url')
    this.#sessions.set(hashed(session), user)
    return `session=${session}; Path=/; HttpOnly; SameSite=Lax`
  }
}
