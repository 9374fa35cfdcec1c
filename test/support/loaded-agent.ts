/**
 * An agent under load, in a process of its own, to be killed: the real outbox, publisher and connection, and in place
 * of inputs a writer that appends many records a second. What the outbox reported durable and what the central
 * acknowledged goes to a file at once, one line each, so that no kill takes back what was said:
 *
 *     d EPOCH SEQ CRC APPENDED_MS DURABLE_MS    durable; CRC-32C of its frame; Unix ms
 *     v EPOCH SEQ CRC APPENDED_MS DURABLE_MS    the same in the volatile outbox: said, but on no disk
 *     a EPOCH INCARNATION FROM-TO,…             newly acknowledged
 *     h EPOCH INCARNATION FROM-TO,…             held when this incarnation was adopted: can be sent to it
 *     w TEXT                                    what the agent logs, warnings and worse
 *
 * Argument: `LoadOptions` as JSON. It prints `started` when the outbox is open, `connected` with each connection, and
 * without a load `drained` once all that it holds is acknowledged.
 */
import { randomBytes } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openBootClock, readBootId } from '../../agent/boot.ts';
import { type Link, openLink } from '../../agent/link.ts';
import { FailoverOutbox } from '../../agent/outbox/failover.ts';
import type { RecordClass, RecordKey } from '../../agent/outbox/outbox.ts';
import { repairInChild } from '../../agent/outbox/repair.ts';
import { Publisher } from '../../agent/publish.ts';
import { Keeper, remember } from '../../agent/wiring/meta.ts';
import type { Timers } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { decodeAck, settledBy } from '../../shared/wire/envelope.ts';
import { frameRecord } from '../../shared/wire/frame.ts';
import { type SeqRanges, subtract, unite } from '../../shared/wire/ranges.ts';
import { encodeRecord } from '../../shared/wire/record.ts';
import { allDownTopics, downTopic, upTopic } from '../../shared/wire/topics.ts';

export interface LoadOptions {
  /** Directory of the outbox. */
  readonly outbox: string;
  /** File of what was said; appended to. */
  readonly said: string;
  /** `enrolment.json`; null for an agent that is not connected. */
  readonly enrolment: string | null;
  /** 0 to send what lies there and no more. */
  readonly recordsPerS: number;
  readonly commitIntervalMs: number;
  readonly limitBytes: number;
  readonly keepAcknowledgedMs: number;
  /** 0 for no bound. */
  readonly backlogBytesPerS: number;
}

const COMMIT_BYTES = 64 * 1024;
const VOLATILE_BYTES = 8 * 1024 * 1024;
const TICK_MS = 10;
/** Of what a line of the log carries beside its message. */
const FIELDS_CHARACTERS = 300;
const DRAIN_LOOK_MS = 50;
/** Records that may wait for their commit; a disk that hangs must not fill the memory. */
const MOST_WAITING = 2_000;
/** Many small records, now and then a large one. */
const SMALL_BYTES = 200;
const LARGE_BYTES = 4_000;
/** No kind of this version: the central keeps such records as they are, so that they can be held against these. */
const LOAD_KIND = 4_000;

const classes: readonly RecordClass[] = ['detail', 'detail', 'rollup', 'detail', 'incident', 'detail'];
const options = JSON.parse(process.argv[2]!) as LoadOptions;
const said = openSync(options.said, 'a', 0o600);
const say = (line: string): void => {
  writeSync(said, `${line}\n`);
};
const tell = (level: string) => (fields: object, message: string) =>
  say(`w ${level} ${message} ${JSON.stringify(fields).slice(0, FIELDS_CHARACTERS)}`);
const log = { debug: () => {}, info: () => {}, warn: tell('warn'), error: tell('error') };
const timers: Timers = {
  after: (delayMs, callback) => setTimeout(callback, delayMs),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

const clock = openBootClock();
const bootId = readBootId();
let publisher: Publisher | null = null;
const outbox = await FailoverOutbox.open({
  directory: options.outbox,
  limitBytes: options.limitBytes,
  keepAcknowledgedMs: options.keepAcknowledgedMs,
  commitIntervalMs: options.commitIntervalMs,
  commitBytes: COMMIT_BYTES,
  volatileBytes: VOLATILE_BYTES,
  clock,
  timers,
  random: randomBytes,
  bootId,
  log,
  wall: () => ({ wallMs: clock.wallMs(), wallTrusted: 'yes' }),
  repair: repairInChild([process.execPath, fileURLToPath(new URL('repair-outbox.ts', import.meta.url))]),
  onWorking: () => publisher?.lookAgain(),
});
const { incarnation } = await remember(outbox);
const keeper = new Keeper(outbox, (error) => say(`w warn a small value could not be kept: ${messageOf(error)}`));
if (options.enrolment !== null) connect(JSON.parse(readFileSync(options.enrolment, 'utf8')) as Enrolment);
process.stdout.write('started\n');
setInterval(write, TICK_MS);
if (options.recordsPerS === 0) void tellDrained();

function connect({ agent, broker, prefix, username, password, ca }: Enrolment): void {
  let link: Link | null = null;
  const topic = upTopic(prefix, agent, 'records');
  publisher = new Publisher({
    agent,
    bootId,
    outbox,
    clock,
    timers,
    log,
    backlogBytesPerS: options.backlogBytesPerS,
    send: (payload) => link!.publish(topic, payload, { qos: 1 }),
    heard: () => {},
    incarnation,
    believe: (incarnation) => {
      keeper.incarnation(incarnation);
      for (const { epoch, held } of outbox.epochs()) {
        if (held.length > 0) say(`h ${epoch} ${incarnation} ${rangesText(held)}`);
      }
    },
  });
  const presence = (online: boolean): Uint8Array => encodeJson({ online, boot: bootId, epoch: outbox.epoch() });
  const acks = downTopic(prefix, agent, 'ack');
  const will = { topic: upTopic(prefix, agent, 'presence'), payload: () => presence(false) };
  link = openLink(
    { url: broker, clientId: agent, username, password, ca, subscribe: allDownTopics(prefix, agent), will, log },
    {
      connected: () => {
        process.stdout.write('connected\n');
        link!.publish(will.topic, presence(true), { qos: 1, retain: true }).catch(() => {});
        publisher!.connected();
      },
      disconnected: () => publisher!.disconnected(),
      message: (topic, payload) => {
        if (topic !== acks) return;
        sayAcknowledged(payload);
        publisher!.acknowledged(payload).catch((error: unknown) => say(`w error ${messageOf(error)}`));
      },
    },
  );
}

/** What each incarnation settled of each epoch, as far as it was said. */
const acknowledged = new Map<string, SeqRanges>();

function sayAcknowledged(payload: Uint8Array): void {
  const ack = decodeAck(payload);
  const key = `${ack.epoch} ${ack.incarnation}`;
  const before = acknowledged.get(key) ?? [];
  const settled = settledBy(ack);
  const fresh = subtract(settled, before);
  acknowledged.set(key, unite(before, settled));
  if (fresh.length > 0) say(`a ${key} ${rangesText(fresh)}`);
}

function rangesText(ranges: SeqRanges): string {
  return ranges.map(([from, to]) => `${from}-${to}`).join(',');
}

async function tellDrained(): Promise<void> {
  await outbox.audited();
  while (outbox.stats().pendingRecords > 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
  process.stdout.write('drained\n');
}

let number = 0;
let waiting = 0;
let owed = 0;

function write(): void {
  owed = Math.min(owed + (options.recordsPerS * TICK_MS) / 1000, MOST_WAITING);
  for (; owed >= 1 && waiting < MOST_WAITING; owed--) appendOne(number++);
}

function appendOne(n: number): void {
  const recordClass = classes[n % classes.length]!;
  const appendedMs = Date.now();
  const body = randomBytes(n % 20 === 0 ? LARGE_BYTES : SMALL_BYTES);
  const monotonicMs = clock.monotonicMs();
  const record = encodeRecord({ kind: LOAD_KIND, bootId, monotonicMs, wallMs: appendedMs, wallTrusted: 'yes', body });
  waiting++;
  outbox
    .append(record, recordClass, { urgent: n % 600 === 4, fromWallMs: appendedMs, toWallMs: appendedMs })
    .then(
      (key) => sayDurable(key, record, appendedMs),
      (error: unknown) => say(`w error a record could not be kept: ${messageOf(error)}`),
    )
    .finally(() => waiting--);
}

const volatileEpochs = new Map<string, boolean>();

function sayDurable({ epoch, seq }: RecordKey, record: Uint8Array, appendedMs: number): void {
  let isVolatile = volatileEpochs.get(epoch);
  if (isVolatile === undefined) {
    isVolatile = outbox.epochs().find((known) => known.epoch === epoch)?.volatile ?? false;
    volatileEpochs.set(epoch, isVolatile);
  }
  // The frame as the outbox makes it: what arrives must have this CRC.
  const crc = new DataView(frameRecord(epoch, seq, record).buffer).getUint32(4, true);
  say(`${isVolatile ? 'v' : 'd'} ${epoch} ${seq} ${crc} ${appendedMs} ${Date.now()}`);
  publisher?.wake();
}
