// The hosts of Node: `node.mjs FILE [express | fastify]`. README.md has the lines of the file.
// Without a second argument it is a server of node:http, and otherwise what the example mounts.

import { readFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { Login } from '../../examples/node/login.mjs'

const require = createRequire(new URL('../../examples/node/', import.meta.url))
const { Product } = require('licentia')
const { handler } = require('licentia/http')

/** The bits of the C interface. */
const RIGHTS = { read: 1, write: 2, delete: 4 }
const SERVICE = 256

/** Users by their tokens, and installations by their paths. */
function read(file) {
  const users = new Map()
  const places = []
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const [, word, first, rest = ''] = line.match(/^(\S+) (\S*) ?(.*)$/)
    if (word === 'user') users.set(first, callerOf(...rest.split(' ')))
    else if (word === 'installation') places.push(placeOf(first, rest))
    else if (word === 'keys') places.at(-1).keys += `${line.slice('keys '.length)}\n`
    else if (word === 'set' || word === 'site') places.at(-1)[word].push([first, rest])
    else throw new Error(`${file}: there is no line that begins with ${word}`)
  }
  return { users, installations: places.map(open) }
}

function callerOf(name, bits) {
  const rights = Object.keys(RIGHTS).filter((right) => (bits & RIGHTS[right]) !== 0)
  return { name, rights, service: (bits & SERVICE) !== 0 }
}

function placeOf(path, rest) {
  const [folder, code] = rest.split(' ')
  return { path, folder, code, keys: '', set: [], site: [] }
}

function open({ path, folder, code, keys, set, site }) {
  const installation = new Product(code, keys, Object.fromEntries(set)).open(folder)
  for (const [name, value] of site) installation.set(name, value)
  return { path, installation }
}

/** A listener that asks one after the other whose path it is. */
function bare(installations, login) {
  const caller = (request) => login.caller(request)
  const handlers = installations.map(({ path, installation }) => {
    const handle = handler(installation, { caller })
    const below = (url) => url === path || url.startsWith(`${path}/`)
    return { below, handle }
  })
  return (request, response) => {
    const found = handlers.find(({ below }) => below(request.url))
    if (found !== undefined) return found.handle(request, response)
    response.writeHead(404).end()
  }
}

/** What is to listen, and the server that it listens with. */
async function host(kind, installations, login) {
  if (kind === undefined) return http.createServer(bare(installations, login))
  const { mount } = await import(`../../examples/node/${kind}.mjs`)
  const app = kind === 'express' ? require('express')() : require('fastify')()
  for (const { installation } of installations) mount(app, installation, login)
  if (kind === 'express') return http.createServer(app)
  await app.ready()
  return app.server
}

const [file, kind] = process.argv.slice(2)
const { users, installations } = read(file)
const server = await host(kind, installations, new Login(users))
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
