/** Right bytes of every kind that goes between agent and central, for `mutations.ts` to spoil. */
import { constants, deflateRawSync, zstdCompressSync } from 'node:zlib';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { packPayload } from '../../shared/transport/compress.ts';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import { tableHash } from '../../shared/trust/hash.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { encodeSummary, encodeTable } from '../../shared/wire/codec.ts';
import { encodeColumns } from '../../shared/wire/columns.ts';
import { encodeAck, encodeEnvelope } from '../../shared/wire/envelope.ts';
import { frameRecord } from '../../shared/wire/frame.ts';
import { encodeRecord, type RecordKind } from '../../shared/wire/record.ts';
import { upTopic } from '../../shared/wire/topics.ts';
import { machineMinute, minuteOf } from '../bench/machine-minute.ts';

export const EPOCH = 'fe'.repeat(16);
const BOOT = 'b0'.repeat(16);
const SERIES = 20;
/** As much as decompresses to what no message may be. */
const BOMB_BYTES = 64 * 1024 * 1024;

const table = encodeTable(Array.from({ length: SERIES }, (_, i) => ({ name: `a.${i}`, unit: '1', attributes: {} })));

/** Bodies of records, by kind. */
export const bodies: readonly (readonly [RecordKind, Uint8Array])[] = [
  ['table', table],
  [
    'summary',
    encodeSummary({
      table: tableHash(table),
      lengthMs: 60_000,
      nominalMs: 60_000,
      endMonotonicMs: 120_000,
      endWallMs: Date.now(),
      first: 0,
      columns: encodeColumns(minuteOf(machineMinute(SERIES, 1), true)),
    }),
  ],
  ['top', encodeJson({ processes: [] })],
  ['inventory', encodeJson({ os: { name: 'Linux' } })],
  ['incident', encodeJson({ findings: [] })],
];

export function recordOf(kind: RecordKind, body: Uint8Array): Uint8Array {
  return encodeRecord({ kind, bootId: BOOT, monotonicMs: 60_000, wallMs: Date.now(), wallTrusted: 'yes', body });
}

export function envelopeOf(agent: string, seq: number, record: Uint8Array): Uint8Array {
  return encodeEnvelope({
    agent,
    epoch: EPOCH,
    n: seq,
    incarnation: null,
    bootId: BOOT,
    sentMonotonicMs: 60_000,
    highestSeq: seq,
    held: [[seq, seq]],
    frames: [frameRecord(EPOCH, seq, record)],
    live: false,
  });
}

/** Zeros, many of them, in few bytes. */
export function bombs(): readonly Uint8Array[] {
  const zeros = new Uint8Array(BOMB_BYTES);
  const windowLog = { params: { [constants.ZSTD_c_windowLog]: 27 } };
  return [
    Buffer.concat([Uint8Array.of(1), deflateRawSync(zeros)]).subarray(0, 64_000),
    Buffer.concat([Uint8Array.of(2), zstdCompressSync(zeros)]),
    Buffer.concat([Uint8Array.of(2), zstdCompressSync(zeros, windowLog)]),
  ];
}

/** What an agent says, by channel. */
export function saidByAgents(agent: string): Readonly<Record<string, readonly Uint8Array[]>> {
  const envelopes = bodies.map(([kind, body], i) => envelopeOf(agent, i + 1, recordOf(kind, body)));
  const plain = envelopes.map((bytes) => Buffer.concat([Uint8Array.of(0), bytes]));
  return {
    records: [...plain, ...envelopes.map(packPayload), ...bombs()],
    presence: [encodeJson({ online: true, boot: BOOT, epoch: EPOCH })],
    reported: [
      encodeJson({
        agentVersion: '1.0.0',
        manifestVersion: 1,
        applied: [],
        supports: [{ kind: 'seasonal', major: 1, featureVersion: 1 }],
        refusals: [],
        commandsDone: [],
        health: { 'picket.series': 10 },
        warnings: ['one'],
      }),
    ],
    get: [encodeJson({ sha256: 'ab'.repeat(32), index: 0 })],
    live: [Uint8Array.from({ length: 300 }, (_, i) => i & 255)],
  };
}

/** What a central says, by channel. */
export function saidByCentrals(): Readonly<Record<string, readonly Uint8Array[]>> {
  const ack = encodeAck({
    incarnation: 'ac'.repeat(16),
    epoch: EPOCH,
    n: 1,
    sentMonotonicMs: 60_000,
    centralMs: Date.now(),
    contiguous: 10,
    settled: [[12, 14]],
    full: true,
    need: ['0123456789abcdef'],
    renewEpoch: false,
  });
  const signed = encodeJson({
    payloadType: 'application/vnd.picket.manifest+json',
    payload: Buffer.from(JSON.stringify({ manifest: 1, version: 99_999 })).toString('base64'),
    signatures: [{ keyid: 'ab'.repeat(32), sig: Buffer.alloc(64, 7).toString('base64') }],
  });
  return {
    ack: [ack],
    desired: [signed],
    command: [signed],
    chunk: [Uint8Array.from({ length: 300 }, (_, i) => i & 255)],
  };
}

/** Packets of MQTT as an agent sends them, before and after its log in. */
export function packets({ agent, prefix, username, password }: Enrolment): {
  readonly login: Uint8Array;
  readonly before: readonly Uint8Array[];
  readonly after: readonly Uint8Array[];
} {
  const generate = (packet: Packet): Uint8Array => mqttPacket.generate(packet);
  const login = generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: agent,
    keepalive: 20,
    username,
    password: Buffer.from(password),
  } as Packet);
  const topic = upTopic(prefix, agent, 'records');
  const after = [
    generate({ cmd: 'publish', topic, payload: 'x', qos: 1, messageId: 1, dup: false, retain: false }),
    generate({ cmd: 'publish', topic, payload: 'x', qos: 2, messageId: 2, dup: false, retain: true }),
    generate({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: `${prefix}/a/${agent}/down/#`, qos: 1 }] }),
    generate({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['a/b'] }),
    generate({ cmd: 'puback', messageId: 1 }),
    generate({ cmd: 'pubrel', messageId: 2 }),
    generate({ cmd: 'pingreq' }),
    generate({ cmd: 'disconnect' }),
  ];
  return { login, before: [login, ...after], after };
}
