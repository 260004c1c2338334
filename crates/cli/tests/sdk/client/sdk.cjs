// What the scenarios share: the SDK, waiting for what must come, and talking to the test that runs them.
'use strict'

const assert = require('node:assert/strict')
const path = require('node:path')
const readline = require('node:readline')

const modules = path.join(process.env.SDK_FOLDER, 'node_modules')
const Backendless = require(path.join(modules, 'backendless'))

const PATIENCE = 20_000

/** What comes, in order; `next` waits for it. */
class Arrivals {
  constructor(what) {
    this.what = what
    this.arrived = []
    this.waiting = []
    this.add = value => {
      const waiting = this.waiting.shift()
      if (waiting) waiting(value)
      else this.arrived.push(value)
    }
  }

  next() {
    if (this.arrived.length) return Promise.resolve(this.arrived.shift())
    return within(new Promise(resolve => this.waiting.push(resolve)), this.what)
  }

  /** Nothing came that was not asked for. */
  assertEmpty() {
    assert.deepEqual(this.arrived, [], `${this.what}: nothing more was expected`)
  }
}

function within(promise, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${PATIENCE} ms`)), PATIENCE)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** The error that a promise must be rejected with. */
async function rejection(promise) {
  const value = await promise.then(value => ({ value }), error => ({ error }))
  assert.ok(value.error, `expected a rejection, found ${JSON.stringify(value.value)}`)
  return value.error
}

/** A client of its own, as `initApp(appId, apiKey)` makes one. */
function app(options) {
  return Backendless.initApp({ standalone: true, ...options })
}

/** A channel that has been joined, and what it was told of errors. */
async function joined(client, name) {
  const channel = client.Messaging.subscribe(name)
  const connected = new Arrivals(`${name}: connected`)
  const refused = new Arrivals(`${name}: refused`)
  channel.addConnectListener(() => connected.add(true), refused.add)
  await connected.next()
  return channel
}

/** Messages of a listener that is ready: one that is not yet would miss what is published at once. */
async function messages(client, channel, selector) {
  const arrivals = new Arrivals(`a message of ${channel.options.name}`)
  const errors = new Arrivals('an error of a listener')
  arrivals.errors = errors
  if (selector) channel.addMessageListener(selector, arrivals.add, errors.add)
  else channel.addMessageListener(arrivals.add, errors.add)
  await allReady(client)
  return arrivals
}

/** Waits until the server has acknowledged every subscription. */
async function allReady(client) {
  const start = Date.now()
  const all = () => Object.values(client.RT.subscriptions.subscriptions)
  while (!all().every(subscription => subscription.ready)) {
    assert.ok(Date.now() - start < PATIENCE, 'not every subscription became ready')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

const lines = readline.createInterface({ input: process.stdin })
const told = new Arrivals('an answer of the test')
lines.on('line', told.add)

/** Asks the test to do something, and waits until it is done. */
function ask(what) {
  process.stdout.write(`${what}\n`)
  return told.next()
}

/** Runs a scenario to its end. */
function run(scenario) {
  const input = JSON.parse(process.env.SDK_INPUT)
  scenario(input).then(
    () => process.exit(0),
    error => {
      console.error(error)
      process.exit(1)
    }
  )
}

module.exports = { Arrivals, Backendless, allReady, app, ask, assert, joined, messages, rejection, run, within }
