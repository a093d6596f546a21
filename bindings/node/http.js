'use strict'
// The license API in a web server: `licentia/http`. docs/http.md.

const { BODY_MAX } = require('./addon.js').load()
const { members, wrongType } = require('./checks.js')

/**
 * How long what is left of a request is still read and thrown away, in milliseconds: a sender that
 * finds nobody reading does not get to see its answer.
 */
const LINGER = 2000

/** The sender has gone: nobody waits for an answer. */
const GONE = Symbol('gone')

const NO_STORE = { 'cache-control': 'no-store' }

function handler(installation, settings = {}) {
  if (typeof installation?.handle !== 'function' || typeof installation.serves !== 'function') {
    throw wrongType('the first argument', 'an Installation', installation)
  }
  const { caller = () => null } = members('the options', settings, ['caller'])
  if (typeof caller !== 'function') throw wrongType('caller', 'a function', caller)
  return (req, res, next) => {
    const target = targetOf(installation, req)
    if (target === undefined && next !== undefined) return next()
    serve(installation, caller, target ?? req.url, req, res).catch((error) => {
      if (error !== GONE) fail(error, req, res, next)
    })
  }
}

/**
 * The target, if it is one of ours: the whole one, or, where the host has taken off the path that
 * it is mounted at, what is left.
 */
function targetOf(installation, { url, originalUrl = url }) {
  const targets = url === originalUrl ? [url] : [originalUrl, url]
  return targets.find((target) => installation.serves(target))
}

async function serve(installation, caller, target, req, res) {
  const asking = await caller(req) ?? null
  // A HEAD is told the length of what a GET would get.
  const method = req.method === 'HEAD' ? 'GET' : req.method
  const body = method === 'GET' ? null : await bodyOf(req)
  const headers = headersOf(req)
  send(req, res, await installation.handle({ method, target, headers, body, caller: asking }))
}

/** Every header as it was sent, and those that the host has added. */
function headersOf({ headers, rawHeaders = [] }) {
  const pairs = []
  const sent = new Set()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    pairs.push([rawHeaders[at], rawHeaders[at + 1]])
    sent.add(rawHeaders[at].toLowerCase())
  }
  const added = Object.entries(headers).filter(([name]) => !sent.has(name))
  // HTTP/2 has no `host`.
  if (headers.host === undefined && headers[':authority'] !== undefined) {
    added.push(['host', headers[':authority']])
  }
  return pairs.concat(added)
}

/** The body as it was sent, or, where a parser of the host has read it, what that made of it. */
async function bodyOf(req) {
  if (!req.readableDidRead) return await read(req)
  const { rawBody, body } = req
  const kept = [rawBody, body].find((it) => typeof it === 'string' || it instanceof Uint8Array)
  if (kept !== undefined) return kept
  if (body !== undefined) return JSON.stringify(body)
  const what = 'the body of the request was read by another before the license API, which left ' +
    'no req.body: mount the license API in front of it'
  throw Object.assign(new Error(what), { code: 'invalid_argument' })
}

/** The body: no more of it than shows that it is too long. */
function read(req) {
  return new Promise((resolve, reject) => {
    if (req.readableEnded) return resolve(null)
    if (req.destroyed) return reject(GONE)
    const chunks = []
    let length = 0
    const done = () => resolve(Buffer.concat(chunks))
    req.on('data', (data) => {
      if (length > BODY_MAX) return
      const chunk = typeof data === 'string' ? Buffer.from(data, req.readableEncoding) : data
      chunks.push(chunk)
      length += chunk.length
      if (length > BODY_MAX) done()
    })
    req.on('end', done)
    req.on('error', () => reject(GONE))
    req.on('close', () => reject(GONE))
  })
}

function send(req, res, { status, headers, body }) {
  if (res.headersSent || res.destroyed) return
  const own = status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }
  const content = req.method === 'HEAD' ? '' : body
  if (req.complete || req.httpVersionMajor > 1) {
    res.writeHead(status, { ...headers, ...own })
    return res.end(content, () => req.stream?.close())
  }
  // What was not read is not the next request.
  res.writeHead(status, { ...headers, ...own, connection: 'close' })
  res.flushHeaders()
  if (content.length > 0) res.write(content)
  const timer = setTimeout(() => res.end(), LINGER)
  req.resume().on('close', () => {
    clearTimeout(timer)
    res.end()
  })
}

/** The host's own fault: it hears of it, and whoever asks does not. */
function fail(thrown, req, res, next) {
  // Whatever was thrown is an error: some mean something else to a `next`.
  const error = thrown instanceof Error ? thrown
    : new Error('the license API could not be told who is asking', { cause: thrown })
  if (next !== undefined) return next(error)
  const what = `a request to the license API has failed: ${error.stack}`
  process.emitWarning(what, { type: 'LicentiaWarning' })
  send(req, res, { status: 500, headers: NO_STORE, body: '' })
}

module.exports = { handler }
