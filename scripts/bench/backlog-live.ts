/**
 * A child of `backlog.ts`: drains an outbox with the agent's own publisher and link, and appends a record four times a
 * second meanwhile, as an agent closes a window: durable at once. Prints how long each took from its making until the
 * central had committed and acknowledged it.
 *
 * Arguments: the outbox's directory, the enrolment's file, bytes a second of backlog, seconds.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { openLink } from '../../agent/link.ts';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import { Publisher } from '../../agent/publish.ts';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import { contains } from '../../shared/wire/ranges.ts';
import { encodeRecord } from '../../shared/wire/record.ts';
import { allDownTopics, downTopic, upTopic } from '../../shared/wire/topics.ts';
import { realTimers, silentLog } from './backlog-fill.ts';

const EVERY_MS = 250;
const LAST_MS = 20_000;

const [directory, enrolmentFile, rate, seconds] = process.argv.slice(2) as [string, string, string, string];
const { agent, prefix, broker, username, password, ca } = JSON.parse(readFileSync(enrolmentFile, 'utf8')) as Enrolment;
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const bootId = randomBytes(16).toString('hex');
const outbox = await openLevelOutbox({
  directory,
  limitBytes: 256 * 1024 * 1024,
  keepAcknowledgedMs: 0,
  commitIntervalMs: 5_000,
  commitBytes: 64 * 1024,
  clock,
  timers: realTimers,
  random: (bytes) => randomBytes(bytes),
  bootId,
  log: silentLog,
  wall: () => ({ wallMs: Date.now(), wallTrusted: 'yes' }),
});
const open = new Map<number, number>();
const latencies: number[] = [];
let epoch = '';

const connection = Promise.withResolvers<void>();
const publisher = new Publisher({
  agent,
  bootId,
  outbox,
  clock,
  timers: realTimers,
  log: silentLog,
  backlogBytesPerS: Number(rate),
  send: (payload) => link.publish(upTopic(prefix, agent, 'records'), payload, { qos: 1 }),
  heard: () => {},
  incarnation: null,
  believe: () => {},
});
const link = openLink(
  {
    url: broker,
    clientId: agent,
    username,
    password,
    ca,
    subscribe: allDownTopics(prefix, agent),
    will: { topic: upTopic(prefix, agent, 'presence'), payload: () => new TextEncoder().encode('{}') },
    log: silentLog,
  },
  {
    connected: () => {
      publisher.connected();
      connection.resolve();
    },
    disconnected: () => publisher.disconnected(),
    message: (topic, payload) => {
      if (topic !== downTopic(prefix, agent, 'ack')) return;
      void publisher.acknowledged(payload).then(settle);
    },
  },
);

function settle(): void {
  const settled = outbox.epochs().find((one) => one.epoch === epoch)?.settled ?? [];
  for (const [seq, madeMs] of open) {
    // What is settled may be deleted already.
    if (!contains(settled, seq) && contains(outbox.held(epoch), seq)) continue;
    latencies.push(performance.now() - madeMs);
    open.delete(seq);
  }
}

// What is made before it is backlog.
await connection.promise;
const pendingBefore = outbox.stats().pendingRecords;
const endMs = performance.now() + Number(seconds) * 1000;
while (performance.now() < endMs) {
  const madeMs = performance.now();
  const body = new TextEncoder().encode(JSON.stringify({ processes: [] }));
  const record = encodeRecord({
    kind: 'top',
    bootId,
    monotonicMs: Math.round(madeMs),
    wallMs: Date.now(),
    wallTrusted: 'yes',
    body,
  });
  const key = await outbox.append(record, 'detail', { urgent: true });
  epoch = key.epoch;
  open.set(key.seq, madeMs);
  publisher.wake();
  await pause(EVERY_MS);
}
const lastMs = performance.now() + LAST_MS;
while (open.size > 0 && performance.now() < lastMs) await pause(50);
const pendingAfter = outbox.stats().pendingRecords;
publisher.disconnected();
await link.close();
await outbox.close();
console.log(JSON.stringify({ latencies, unanswered: open.size, pendingBefore, pendingAfter }));
process.exit(0);
