import licentia from './index.js'

export const { License, Product } = licentia
