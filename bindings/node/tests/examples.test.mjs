// The examples with the license API, each as a program of its own, and the hosts made of them.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EXAMPLE, HAS_FASTIFY } from './example.mjs'
import { emptyFolder } from './folder.mjs'
import { Client } from './servers.mjs'
import { NOW, vendor } from './vendor.mjs'

const HOST = fileURLToPath(new URL('../../../tests/hosts/node.mjs', import.meta.url))
const APP_TOKEN = 'a token of the administrator'
const KINDS = HAS_FASTIFY ? ['express', 'fastify'] : ['express']
const TOKEN = '/api/licensing/token'
const JSON_TYPE = { 'content-type': 'application/json' }

/** Starts a program, and gives the port that it says it listens on. */
async function started(t, file, args, options) {
  const child = spawn(process.execPath, [file, ...args], {
    ...options, stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [line] = await once(createInterface(child.stdout), 'line')
  return { child, line, port: Number(line.match(/(\d+)(\/login)?$/)[1]) }
}

function folderWithKeys(t) {
  const folder = emptyFolder(t)
  writeFileSync(path.join(folder, 'keys.json'), vendor.keys())
  mkdirSync(path.join(folder, 'state'))
  return folder
}

for (const kind of KINDS) {
  const file = path.join(EXAMPLE, `${kind}.mjs`)

  test(`${kind}: one signs in, applies a license, and uses the product`, async (t) => {
    const cwd = folderWithKeys(t)
    const args = ['keys.json', 'myapp', 'state', '0', `clock=${NOW}`]
    const { port, line } = await started(t, file, args, { cwd, env: { APP_TOKEN } })
    assert.match(line, /^listening on http:\/\/127\.0\.0\.1:\d+\/login$/)
    const client = new Client(t, port)
    const login = (token) => client.ask({
      method: 'POST', target: '/login', body: new URLSearchParams({ token }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })

    assert.equal((await client.ask({ target: '/license' })).status, 401)
    assert.match(String((await client.ask({ target: '/login' })).body), /<form/)
    for (const wrong of ['', 'x', `${APP_TOKEN} `]) {
      const refused = await login(wrong)
      assert.deepEqual([refused.status, refused.headers['set-cookie']], [403, undefined])
    }
    const { status, headers } = await login(APP_TOKEN)
    assert.deepEqual([status, headers.location], [303, '/license'])
    const [cookie, ...attributes] = headers['set-cookie'][0].split('; ')
    assert.deepEqual(attributes, ['Path=/', 'HttpOnly', 'SameSite=Lax'])
    const page = await client.ask({ target: '/license', headers: { cookie } })
    assert.deepEqual([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8'])
    const guessed = { cookie: 'session=' }
    assert.equal((await client.ask({ target: '/license', headers: guessed })).status, 401)

    const refused = await client.ask({ target: '/reports' })
    assert.equal(refused.status, 400)
    assert.match(refused.headers['content-type'], /^application\/json/)
    assert.equal(JSON.parse(refused.body).code, 'not_licensed')
    const post = {
      method: 'POST', target: TOKEN, body: JSON.stringify({ token: vendor.license() }),
    }
    for (const bearer of ['x', '', APP_TOKEN.slice(0, -1)]) {
      const authorization = `Bearer ${bearer}`
      const answer = await client.ask({ ...post, headers: { ...JSON_TYPE, authorization, cookie } })
      assert.equal(answer.status, 401, 'a token that is wrong is no session')
    }
    const applied = await client.ask({ ...post, headers: { ...JSON_TYPE, cookie } })
    assert.equal(applied.status, 200)
    const used = await client.ask({ target: '/reports' })
    assert.deepEqual(JSON.parse(used.body), { reports: ['Everything is well.'] })
    const authorization = `Bearer ${APP_TOKEN}`
    const check = await client.ask({ target: '/api/licensing/check', headers: { authorization } })
    assert.equal(String(check.body), 'true')
    assert.equal((await client.ask({ target: '/elsewhere' })).status, 404)
  })

  test(`${kind}: the days without a license end`, async (t) => {
    const cwd = folderWithKeys(t)
    for (const [days, status] of [[0, 200], [9, 200], [11, 400]]) {
      const settings = [`clock=${NOW + days * 86_400}`, 'grace_days=10']
      const args = ['keys.json', 'myapp', 'state', '0', ...settings]
      const { child, port } = await started(t, file, args, { cwd, env: { APP_TOKEN } })
      const reports = await new Client(t, port).ask({ target: '/reports' })
      assert.equal(reports.status, status, `after ${days} days`)
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })

  test(`${kind}: it says what is wrong with how it was started`, (t) => {
    const cwd = folderWithKeys(t)
    const run = (args, env = { APP_TOKEN }) =>
      spawnSync(process.execPath, [file, ...args], { cwd, env, encoding: 'utf8', timeout: 30_000 })
    for (const [args, env] of [[[]], [['keys.json', 'myapp', 'state', '0'], {}]]) {
      const { status, stderr } = run(args, env)
      assert.deepEqual([status, stderr.split(' ')[0]], [2, 'usage:'])
    }
    const guessed = run(['keys.json', 'myapp', 'state', '0'], { APP_TOKEN: 'x'.repeat(15) })
    assert.deepEqual([guessed.status, guessed.stderr.split(' ')[0]], [2, 'APP_TOKEN:'])
    for (const [args, message] of [
      [['nowhere.json', 'myapp', 'state', '0'], /^io: ENOENT/],
      [['keys.json', 'myapp', 'state', '0', 'clock=x'], /^invalid_argument: /],
      [['keys.json', 'myapp', 'state', '0', 'clok=x'], /^invalid_argument: .*clock/],
    ]) {
      const { status, stderr } = run(args)
      assert.equal(status, 1)
      assert.match(stderr, message)
    }
  })
}

for (const kind of [undefined, ...KINDS]) {
  test(`the host of ${kind ?? 'node:http'} serves many installations`, async (t) => {
    const folder = emptyFolder(t)
    const names = ['one', 'two']
    const lines = names.flatMap((name) => {
      mkdirSync(path.join(folder, name))
      const [path1, path2] = [`/${name}`, path.join(folder, name)]
      return [`installation ${path1} ${path2} myapp`, `keys ${vendor.keys()}`, `set clock ${NOW}`,
        'set vendor ACME Software GmbH', `site mount ${path1}`]
    })
    const spec = path.join(folder, 'spec')
    writeFileSync(spec, ['user t0 ada 7', 'user t1 bot 263', ...lines, ''].join('\n'))
    const { child, port, line } = await started(t, HOST, [spec, kind].filter(Boolean))
    assert.match(line, /^listening \d+$/)
    const client = new Client(t, port)
    const ask = (token, target, more) => client.ask({
      ...more, target, headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
    })
    const body = JSON.stringify({ token: vendor.license() })
    assert.equal((await ask('t0', `/one${TOKEN}`, { method: 'POST', body })).status, 200)
    const check = async (token, name) => {
      const answer = await ask(token, `/${name}/api/licensing/check`)
      return answer.status === 200 ? String(answer.body) : answer.status
    }
    assert.deepEqual([await check('t0', 'one'), await check('t0', 'two')], ['true', 'false'])
    assert.deepEqual([await check('t1', 'one'), await check('t2', 'one')], [403, 401])
    for (const target of ['/', '/license', '/three/license', '/onelicense', '/one/']) {
      assert.equal((await ask('t0', target)).status, 404, target)
    }
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })
}
