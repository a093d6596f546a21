// The same from a module of CommonJS. Compiled, never run.

import http = require('node:http')
import licentia = require('licentia')
import mount = require('licentia/http')

const installation: licentia.Installation = new licentia.Product('myapp', '').open('state')
const options: mount.HandlerOptions<http.IncomingMessage> = { caller: () => ({ name: 'ada' }) }

export = http.createServer(mount.handler(installation, options))
