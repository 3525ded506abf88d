// A receiver of NIZAM's webhooks, with nothing but what Node.js brings along.
//
//     NIZAM_WEBHOOK_SECRETS='the secret' node receiver.mjs [PORT]
//
// While a secret is being changed, put both there, each in a line of its own. What is good is printed, one JSON object a line.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

// Seconds that a delivery may be old, or ahead of this clock. Every attempt has a time of its own.
const TOLERANCE = 300
// Bytes of a body.
const LARGEST = 1 << 20
// Ids that are remembered. One that is kept in a database, with what was done, outlives a restart.
const REMEMBERED = 100_000

// What is wrong with a delivery; nothing where the body is NIZAM's and fresh.
export function verify(secrets, headers, body, now = Date.now() / 1000) {
  const timestamp = headers['x-nizam-timestamp'] ?? ''
  if (!/^[0-9]{1,15}$/.test(timestamp)) return 'no timestamp'
  if (Math.abs(now - Number(timestamp)) > TOLERANCE) return 'too old, or from the future'
  // The second header is there while a secret is being changed.
  const given = ['x-nizam-signature', 'x-nizam-signature-previous']
    .map((name) => headers[name])
    .filter(Boolean)
    .map((text) => Buffer.from(text))
  for (const secret of secrets) {
    // The body as it came: JSON that is read and written again is another text.
    const mac = createHmac('sha256', secret).update(`${timestamp}.`).update(body)
    const own = Buffer.from(mac.digest('hex'))
    // A comparison that ends at the first difference would tell how much was right.
    if (given.some((one) => one.length === own.length && timingSafeEqual(one, own))) return undefined
  }
  return 'no good signature'
}

const secrets = (process.env.NIZAM_WEBHOOK_SECRETS ?? '').split('\n').filter(Boolean)
if (secrets.length === 0) {
  console.error('NIZAM_WEBHOOK_SECRETS is empty: nothing could be verified.')
  process.exit(1)
}
const seen = new Set()

const server = createServer((request, response) => {
  const chunks = []
  let length = 0
  request.on('error', () => {})
  request.on('data', (chunk) => {
    length += chunk.length
    if (length > LARGEST) request.destroy()
    else chunks.push(chunk)
  })
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    const wrong = verify(secrets, request.headers, body)
    if (wrong) return response.writeHead(401).end(wrong)
    const content = JSON.parse(body)
    // The same event may come twice: its id is the same. That of the body is signed; a mapping may have left it out.
    const id = content.id ?? request.headers['webhook-id']
    if (!seen.has(id)) {
      console.log(JSON.stringify({ id, event: request.headers['x-nizam-event'], body: content }))
    }
    seen.add(id)
    if (seen.size > REMEMBERED) seen.delete(seen.values().next().value)
    // First the answer, then the work: what takes long belongs into a queue.
    response.writeHead(204).end()
  })
})
server.requestTimeout = 30_000
server.listen(Number(process.argv[2] ?? 8000), '127.0.0.1', () => {
  console.log(JSON.stringify({ listening: server.address().port }))
})
