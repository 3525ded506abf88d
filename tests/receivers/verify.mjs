// Verifies deliveries by the library of Standard Webhooks: reads one JSON object a line, {"secret", "headers", "body"}, and answers each
// with {"verified": true} or {"verified": false, "why": "..."}.

import { createInterface } from 'node:readline'
import { Webhook } from 'standardwebhooks'

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line)
  let answer
  try {
    new Webhook(secret).verify(body, headers)
    answer = { verified: true }
  } catch (error) {
    answer = { verified: false, why: String(error.message ?? error) }
  }
  console.log(JSON.stringify(answer))
}
