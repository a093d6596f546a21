// One script of requests, sent to every kind of server over the loopback: each answers what the
// core answers, to the byte.

import assert from 'node:assert/strict'
import { cpSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { handler } from '../http.mjs'
import { EXAMPLE, HAS_FASTIFY, use } from './example.mjs'
import { emptyFolder } from './folder.mjs'
import { Client, SITE, USERS, callerOf, opened, serve } from './servers.mjs'
import { NOW, stranger, vendor } from './vendor.mjs'

const express = use('express')
const example = (name) => import(pathToFileURL(path.join(EXAMPLE, name)))
const { Login } = await example('login.mjs')
const middleware = (installation) => handler(installation, { caller: callerOf })

const bearer = (token) => (token === null ? {} : { authorization: `Bearer ${token}` })
const JSON_TYPE = { 'content-type': 'application/json' }
const LONG = 128 * 1024

/** A write: `body` is sent as JSON, in the pieces that are given, or as it is. */
function write(token, method, target, body, headers = JSON_TYPE) {
  const text = typeof body === 'string' || Array.isArray(body) ? body : JSON.stringify(body)
  return { method, target, headers: { ...headers, ...bearer(token) }, body: text }
}

const read = (token, target, method = 'GET') => ({ method, target, headers: bearer(token) })

/** What is asked, in this order: what is applied is seen by those after it. */
function script() {
  const token = '/api/licensing/token'
  const [first, second] = [NOW, NOW + 1].map((iat) => vendor.license({}, { iat }))
  const everybody = [null, 'admin', 'service', 'reader', 'nobody']
  const paths = ['/api/license', '/api/license/expiration', '/api/license/request', '/license',
    '/api/licensing/check', '/api/v1/license', '/api/license/openapi.json', '/api/license?a=b%20c']
  const reads = everybody.flatMap((who) => paths.map((target) => read(who, target)))
  const crossSite = { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }
  const padded = JSON.stringify({ token: second }).padEnd(LONG)
  return [
    ...reads,
    ...everybody.map((who) => write(who, 'POST', token, { token: stranger.license() })),
    write('admin', 'POST', token, '{'), write('admin', 'POST', token, ''),
    write('admin', 'POST', token, { token: first }, { 'content-type': 'text/plain' }),
    write('admin', 'POST', token, { token: first }, {}),
    write('admin', 'POST', token, { token: first }, crossSite),
    write('admin', 'POST', token, { token: first }, { ...JSON_TYPE, origin: 'https://a.example' }),
    write('admin', 'POST', token, `${padded} `), write(null, 'POST', token, `${padded} `),
    ...reads.slice(0, paths.length),
    write('admin', 'POST', token, { token: first }),
    ...reads,
    write('admin', 'POST', token, [padded.slice(0, 1), padded.slice(1, 500), padded.slice(500)]),
    write('admin', 'POST', token, { token: first }),
    write('admin', 'POST', `${token}/renew`, {}),
    write('admin', 'POST', '/api/license/assign', { signed_license: second }),
    ...['PUT', 'PATCH', 'OPTIONS'].map((method) => write('admin', method, token, '')),
    ...paths.map((target) => read('admin', target, 'HEAD')),
    read('admin', token, 'HEAD'), read('admin', token),
    write('reader', 'DELETE', token, SITE), write('admin', 'DELETE', token, { instance: 'x' }),
    write('admin', 'DELETE', token, SITE),
    ...reads.slice(0, 2 * paths.length),
  ]
}

/** Headers that are the server's own. */
const OWN = new Set(['connection', 'content-length', 'date', 'keep-alive'])

/** Sends the script, and compares with what a twin of the installation answers by itself. */
async function compare(t, site, prefix, listen) {
  const folders = ['served', 'twin'].map((name) => path.join(emptyFolder(t), name))
  mkdirSync(folders[0])
  opened(folders[0]).request() // It gets its id now, which a copy has too.
  cpSync(...folders, { recursive: true })
  const [installation, twin] = folders.map((folder) => opened(folder, site))
  const client = new Client(t, await listen(installation))
  for (const [at, asked] of script().entries()) {
    const headers = { ...asked.headers, 'x-request-id': `id-${at}` }
    const sent = { ...asked, headers, target: prefix + asked.target }
    const answer = await client.ask(sent)
    const target = site.mount === undefined ? asked.target : sent.target
    const body = [asked.body ?? ''].flat().join('')
    const caller = callerOf({ headers })
    const expected = await twin.handle({ method: asked.method, target, headers, body, caller })
    const what = `${at}: ${asked.method} ${sent.target}`
    assert.deepEqual([answer.status, String(answer.body)],
      [expected.status, String(expected.body)], what)
    const others = Object.entries(answer.headers).filter(([name]) => !OWN.has(name))
    assert.deepEqual(Object.fromEntries(others), expected.headers, what)
    // A HEAD is told the length of what a GET would get.
    const whole = asked.method !== 'HEAD' ? expected
      : await twin.handle({ method: 'GET', target, headers, body, caller })
    const length = expected.status === 204 ? undefined : String(whole.body.length)
    assert.equal(answer.headers['content-length'], length, what)
  }
  assert.equal(client.sockets.size, 1, 'the connection was kept')
}

test('a server of node:http', (t) =>
  compare(t, {}, '', (installation) => serve(t, middleware(installation))))

test('Express, below the path that the site has set', (t) =>
  compare(t, { mount: '/admin/x' }, '/admin/x', (installation) =>
    serve(t, plain().use(middleware(installation)))))

test('Express, below a path that it takes off, which the site has set', (t) =>
  compare(t, { mount: '/admin/x' }, '/admin/x', (installation) =>
    serve(t, plain().use('/admin', express.Router().use('/x', middleware(installation))))))

test('Express, below a path that it takes off', (t) =>
  compare(t, {}, '/admin/x', (installation) =>
    serve(t, plain().use('/admin', plain().use('/x', middleware(installation))))))

test('Express, as the example mounts it', async (t) => {
  const { mount } = await example('express.mjs')
  await compare(t, {}, '', (installation) => {
    const app = plain()
    mount(app, installation, new Login(USERS))
    return serve(t, app)
  })
})

test('Fastify, as the example mounts it', { skip: !HAS_FASTIFY }, async (t) => {
  const { mount } = await example('fastify.mjs')
  await compare(t, { mount: '/admin' }, '/admin', async (installation) => {
    const app = use('fastify').fastify()
    mount(app, installation, new Login(USERS))
    await app.listen({ host: '127.0.0.1', port: 0 })
    t.after(() => app.close())
    return app.server.address().port
  })
})

/** Express says who it is in every answer, unless it is told not to. */
function plain() {
  return express().disable('x-powered-by')
}
