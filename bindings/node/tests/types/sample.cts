// The same package from CommonJS. Compiled, never run.

import licentia = require('licentia')

const product = new licentia.Product('myapp', '')
const license: licentia.License = product.verify(Buffer.from(''))
const code: licentia.ErrorCode = 'expired'

export = { license, code }
