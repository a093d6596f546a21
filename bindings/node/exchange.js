'use strict'
// One HTTP request as a host has it, turned into what the native half takes, and its answer.

const { bodyData, isPlain, members, text, wrongCall, wrongType } = require('./checks.js')

const EXCHANGE = ['method', 'target', 'headers', 'body', 'caller']
const CALLER = ['name', 'rights', 'service']
/** The bits of include/licentia.h. */
const RIGHTS = new Map([['read', 1], ['write', 2], ['delete', 4]])
const SERVICE = 256

/** What the native half takes for `{ method, target, headers, body, caller }`. */
function exchangeOf(value) {
  const { method, target, headers = {}, body = null, caller = null } =
    members('the exchange', value, EXCHANGE)
  const request = {
    method: text('the method', method),
    target: text('the target', target),
    headers: headerList(headers),
    caller: caller === null ? undefined : callerOf(caller),
  }
  return { request, body: bodyData(body) }
}

/** Who is asking: a slip in what it may do is refused, and grants nothing. */
function callerOf(value) {
  const { name, rights = [], service = false } = members('the caller', value, CALLER)
  if (!Array.isArray(rights)) throw wrongType('rights', 'an array', rights)
  if (typeof service !== 'boolean') throw wrongType('service', 'a boolean', service)
  let bits = service ? SERVICE : 0
  for (const right of rights) {
    const bit = RIGHTS.get(text('a right', right))
    if (bit === undefined) {
      throw wrongCall(`there is no right '${right}', only ${[...RIGHTS.keys()].join(', ')}`)
    }
    bits |= bit
  }
  return { name: text('the name of the caller', name), rights: bits }
}

/** Names and values in turn, of an object as Node has it, or of pairs, which Headers has too. */
function headerList(headers) {
  const isList = typeof headers === 'object' && typeof headers?.[Symbol.iterator] === 'function'
  if (!isList && !isPlain(headers)) {
    throw wrongType('headers', 'a plain object, a Map, Headers or pairs', headers)
  }
  const list = []
  for (const pair of isList ? headers : Object.entries(headers)) {
    if (!Array.isArray(pair) || pair.length !== 2) throw wrongType('a header', 'a pair', pair)
    const [name, values] = pair
    for (const value of Array.isArray(values) ? values : [values]) {
      if (value !== undefined) list.push(text('a header', name), text(`the header ${name}`, value))
    }
  }
  return list
}

function answerOf({ status, headers: list, body }) {
  const headers = {}
  for (let at = 0; at < list.length; at += 2) headers[list[at]] = list[at + 1]
  return { status, headers, body }
}

module.exports = { answerOf, exchangeOf, headerList }
