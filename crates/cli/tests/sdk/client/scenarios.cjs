// What a program does with the official SDK, unmodified. Each scenario is run by a test of its name.
'use strict'

const { Arrivals, Backendless, allReady, app, ask, assert, joined, messages, rejection, run } = require('./sdk.cjs')

const scenarios = {
  async publishing({ url, key, admin }) {
    // The global object, with two arguments: the style of most programs.
    Backendless.serverURL = url
    Backendless.initApp('default', key)
    const channel = await joined(Backendless, 'news')
    const arrivals = await messages(Backendless, channel)
    const options = new Backendless.PublishOptions({
      publisherId: 'desk', headers: { city: 'Malmö', temperature: 20, dry: true }, subtopic: 'weather.malmo',
    })
    const delivery = new Backendless.DeliveryOptions({ publishPolicy: 'PUBSUB' })
    const answer = await Backendless.Messaging.publish('news', { text: 'Hej', n: [1, 2.5] }, options, delivery)
    assert.deepEqual(Object.keys(answer).sort(), ['errorMessage', 'messageId', 'status'])
    assert.equal(answer.status, 'scheduled')

    const message = await arrivals.next()
    assert.equal(message.messageId, answer.messageId)
    assert.deepEqual(message.message, { text: 'Hej', n: [1, 2.5] })
    assert.equal(message.publisherId, 'desk')
    assert.equal(message.subtopic, 'weather.malmo')
    assert.deepEqual(message.headers, { city: 'Malmö', temperature: '20', dry: 'true' })
    assert.equal(message.publishPolicy, 'PUBSUB')
    assert.ok(Math.abs(Date.now() - message.timestamp) < 60_000)

    const status = await Backendless.Messaging.getMessageStatus(answer.messageId)
    assert.equal(status.status, 'published')
    assert.equal(status.messageId, answer.messageId)
    const forbidden = await rejection(Backendless.Messaging.cancel(answer.messageId))
    assert.deepEqual([forbidden.status, forbidden.code], [403, 5007])

    // What waits can be cancelled, what is published not.
    const owner = app({ serverURL: url, appId: 'default', apiKey: admin })
    const late = await rejection(owner.Messaging.cancel(answer.messageId))
    assert.deepEqual([late.status, late.code], [409, 5040])
    const later = new owner.DeliveryOptions({ publishAt: Date.now() + 3_600_000 })
    const waiting = await owner.Messaging.publish('news', 'later', null, later)
    assert.equal((await owner.Messaging.getMessageStatus(waiting.messageId)).status, 'scheduled')
    assert.equal((await owner.Messaging.cancel(waiting.messageId)).status, 'cancelled')
    assert.equal((await owner.Messaging.getMessageStatus(waiting.messageId)).status, 'cancelled')

    // Through the channel object, and a payload that is not ASCII and large.
    const large = 'räksmörgås '.repeat(15_000)
    await channel.publish(large)
    assert.equal((await arrivals.next()).message, large)
    assert.ok(await Backendless.RT.getConnectionId())
    arrivals.assertEmpty()
  },

  async selectors({ url, key }) {
    const client = app({ serverURL: url, appId: 'default', apiKey: key })
    const channel = await joined(client, 'weather')
    const hot = await messages(client, channel, 'temperature > 10')
    const malmo = await messages(client, channel, "city = 'Malmö'")
    const all = await messages(client, channel)
    const publish = (n, headers) => client.Messaging.publish('weather', n, { headers })
    await publish(1, { temperature: 20, city: 'Malmö' })
    await publish(2, { temperature: 5, city: 'Malmö' })
    await publish(3, { temperature: 30, city: 'Lund' })
    await publish(4)
    for (const n of [1, 2, 3, 4]) assert.equal((await all.next()).message, n)
    for (const n of [1, 3]) assert.equal((await hot.next()).message, n)
    for (const n of [1, 2]) assert.equal((await malmo.next()).message, n)

    const bad = new Arrivals('the error of a bad selector')
    channel.addMessageListener('temperature >', () => assert.fail('a message'), bad.add)
    const error = await bad.next()
    assert.equal(error.code, 5906)
    assert.match(error.message, /position/)

    channel.removeMessageListeners('temperature > 10')
    await publish(5, { temperature: 40 })
    await publish(6, { city: 'Malmö' })
    for (const n of [5, 6]) assert.equal((await all.next()).message, n)
    assert.equal((await malmo.next()).message, 6)
    hot.assertEmpty()
    malmo.assertEmpty()
  },

  async commands({ url, key }) {
    const [ann, bob] = [0, 1].map(() => app({ serverURL: url, appId: 'default', apiKey: key }))
    const channels = [await joined(ann, 'room'), await joined(bob, 'room')]
    const heard = channels.map(channel => {
      const arrivals = new Arrivals('a command')
      channel.addCommandListener(arrivals.add)
      return arrivals
    })
    await Promise.all([allReady(ann), allReady(bob)])
    await channels[0].send('typing', { on: true, text: 'é' })
    const connectionId = await ann.RT.getConnectionId()
    for (const arrivals of heard) {
      const command = await arrivals.next()
      const userInfo = { connectionId, userId: null }
      assert.deepEqual(command, { type: 'typing', data: { on: true, text: 'é' }, userInfo })
    }
    // Before it is connected a channel keeps what it is asked to send.
    await bob.Messaging.subscribe('room').send('later', null)
    for (const arrivals of heard) assert.equal((await arrivals.next()).type, 'later')
  },

  async users({ url, key, tokens }) {
    const [ann, bob] = [0, 1].map(() => app({ serverURL: url, appId: 'default', apiKey: key }))
    // The way to a user token without Backendless's own log-in.
    bob.LocalCache.set('user-token', tokens.bob)
    const room = await joined(ann, 'room')
    const seen = new Arrivals('a status of users')
    room.addUserStatusListener(seen.add)
    const annId = await ann.RT.getConnectionId()
    assert.deepEqual(await seen.next(), { status: 'LISTING', data: [{ connectionId: annId, userId: null }] })

    const other = await joined(bob, 'room')
    const bobId = await bob.RT.getConnectionId()
    const data = [{ connectionId: bobId, userId: 'bob' }]
    assert.deepEqual(await seen.next(), { status: 'CONNECTED', data })
    const listed = new Arrivals('a listing')
    other.addUserStatusListener(listed.add)
    const listing = await listed.next()
    assert.equal(listing.status, 'LISTING')
    assert.deepEqual(listing.data.map(user => user.connectionId).sort(), [annId, bobId].sort())
    other.leave()
    assert.deepEqual(await seen.next(), { status: 'DISCONNECTED', data })
    other.join()
    assert.deepEqual(await seen.next(), { status: 'CONNECTED', data })
    bob.RT.disconnect()
    assert.deepEqual(await seen.next(), { status: 'DISCONNECTED', data })
  },

  // By the rules of the test, ann may read `ann` and both of them `both`.
  async tokens({ url, key, tokens }) {
    const client = app({ serverURL: url, appId: 'default', apiKey: key })
    client.LocalCache.set('user-token', tokens.ann)
    const own = await joined(client, 'ann')
    const both = await joined(client, 'both')
    const mine = await messages(client, own)
    const ours = await messages(client, both)
    await client.Messaging.publish('ann', 1)
    assert.equal((await mine.next()).message, 1)

    // Later, as another user: what that one may not have ends, the rest goes on.
    client.setCurrentUserToken(tokens.bob)
    assert.equal((await mine.errors.next()).code, 5007)
    await client.Messaging.publish('both', 2)
    assert.equal((await ours.next()).message, 2)

    // Refused: the SDK drops that promise, so the program has to listen for its rejection.
    const rejections = new Arrivals('an unhandled rejection')
    process.on('unhandledRejection', rejections.add)
    client.setCurrentUserToken('no.token.atall')
    assert.equal((await rejections.next()).code, 3064)
    assert.equal((await ours.errors.next()).code, 3064)
    const late = client.Messaging.subscribe('both')
    const refused = new Arrivals('a refusal')
    late.addConnectListener(() => assert.fail('connected'), refused.add)
    assert.equal((await refused.next()).code, 3064)
  },

  async refused({ url }) {
    const client = app({ serverURL: url, appId: 'default', apiKey: 'app-00000000000000000000000000000000' })
    const channel = client.Messaging.subscribe('news')
    const refused = new Arrivals('a refusal')
    const tried = new Arrivals('an attempt to connect anew')
    client.RT.addReconnectAttemptEventListener(tried.add)
    channel.addConnectListener(() => assert.fail('connected'), refused.add)
    assert.equal((await refused.next()).code, 2002)
    assert.equal((await rejection(client.Messaging.publish('news', 1))).code, 2002)
    tried.assertEmpty()
  },

  async restart({ url, key }) {
    const client = app({ serverURL: url, appId: 'default', apiKey: key })
    const channel = await joined(client, 'news')
    const arrivals = await messages(client, channel)
    const commands = new Arrivals('a command')
    channel.addCommandListener(commands.add)
    await client.Messaging.publish('news', 'before')
    assert.equal((await arrivals.next()).message, 'before')
    const connected = new Arrivals('a connection')
    const errors = new Arrivals('an error')
    channel.addConnectListener(connected.add, errors.add)
    for (const how of ['restart', 'kill']) {
      await ask(how)
      await connected.next()
      await allReady(client)
      await client.Messaging.publish('news', how)
      assert.equal((await arrivals.next()).message, how)
      await channel.send(how, null)
      assert.equal((await commands.next()).type, how)
    }
    errors.assertEmpty()
    arrivals.errors.assertEmpty()
  },

  // The connection is cut between two messages, again and again: nothing is lost and the order stays.
  async reconnect({ url, key }) {
    const client = app({ serverURL: url, appId: 'default', apiKey: key })
    const channel = await joined(client, 'news')
    const arrivals = await messages(client, channel)
    const seen = []
    let published = 0
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 20; n++) await client.Messaging.publish('news', published++)
      const socket = client.RT.session && (await client.RT.session.getSocket())
      // As when the network is gone: no packet says so.
      const transport = socket.ioSocket.io.engine.transport
      if (transport.ws) transport.ws.terminate()
      else socket.ioSocket.io.engine.close()
      for (let n = 0; n < 20; n++) await client.Messaging.publish('news', published++)
    }
    while (seen[seen.length - 1] !== published - 1) {
      const { message } = await arrivals.next()
      const next = seen.length ? seen[seen.length - 1] + 1 : 0
      // What was not confirmed comes again.
      if (message < next) continue
      assert.equal(message, next, 'a message is lost')
      seen.push(message)
    }
    assert.equal(seen.length, published)
  },

  // By the rules of the test anyone may use `open`; that style of the SDK sends no key.
  async domain({ url, tokens }) {
    const nobody = app({ domain: url })
    const open = await joined(nobody, 'open')
    const arrivals = await messages(nobody, open)
    await nobody.Messaging.publish('open', 'anyone')
    assert.equal((await arrivals.next()).message, 'anyone')
    const refused = new Arrivals('a refusal')
    nobody.Messaging.subscribe('ann').addConnectListener(() => assert.fail('connected'), refused.add)
    assert.equal((await refused.next()).code, 2002)

    const ann = app({ domain: url })
    ann.LocalCache.set('user-token', tokens.ann)
    const own = await joined(ann, 'ann')
    const mine = await messages(ann, own)
    await ann.Messaging.publish('ann', 'hers')
    assert.equal((await mine.next()).message, 'hers')
  },

  async deleting({ url, key, admin }) {
    const client = app({ serverURL: url, appId: 'default', apiKey: key })
    const channel = await joined(client, 'news')
    const arrivals = await messages(client, channel)
    await client.Messaging.publish('news', 1)
    assert.equal((await arrivals.next()).message, 1)
    assert.equal((await rejection(client.Messaging.deleteChannel('news'))).code, 5007)
    const owner = app({ serverURL: url, appId: 'default', apiKey: admin })
    assert.equal(await owner.Messaging.deleteChannel('news'), true)
    assert.equal((await arrivals.errors.next()).code, 5909)
    const again = await messages(client, channel)
    await client.Messaging.publish('news', 2)
    assert.equal((await again.next()).message, 2)
  },
}

run(scenarios[process.argv[2]])
