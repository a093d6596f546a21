// The same from a module of CommonJS. Compiled, never run.

import licentia = require('licentia')
import refresh = require('licentia/refresh')

const installation: licentia.Installation = new licentia.Product('myapp', '').open('state')
const refresher: refresh.Refresher = refresh.keepSynced(installation)

export = refresher
