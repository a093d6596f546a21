export * from './refresh.js'
