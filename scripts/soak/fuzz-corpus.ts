/** Right bytes of every kind that goes between agent and central, for `mutations.ts` to spoil. */
import { constants, deflateRawSync, zstdCompressSync } from 'node:zlib';
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

/** A packet of MQTT 3.1.1 (section 2.2): type and flags, remaining length, the rest. */
function packet(typeAndFlags: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const rest = Buffer.concat(parts);
  const length: number[] = [];
  for (let left = rest.length; ; left >>= 7) {
    length.push((left & 127) | (left > 127 ? 128 : 0));
    if (left < 128) break;
  }
  return Buffer.concat([Uint8Array.of(typeAndFlags, ...length), rest]);
}

/** A text as MQTT has it: two bytes of length before it. */
function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes]);
}

/** Packets as an agent sends them, before and after its log in. */
export function packets({ agent, prefix, username, password }: Enrolment): {
  readonly login: Uint8Array;
  readonly before: readonly Uint8Array[];
  readonly after: readonly Uint8Array[];
} {
  const id = (n: number): Uint8Array => Uint8Array.of(0, n);
  // Clean session, user name and password; a keep-alive of 20 s (3.1.2).
  const login = packet(0x10, text('MQTT'), Uint8Array.of(4, 0xc2, 0, 20), text(agent), text(username), text(password));
  const topic = text(upTopic(prefix, agent, 'records'));
  const after = [
    packet(0x32, topic, id(1), Buffer.from('x')),
    packet(0x35, topic, id(2), Buffer.from('x')),
    packet(0x82, id(3), text(`${prefix}/a/${agent}/down/#`), Uint8Array.of(1)),
    packet(0xa2, id(4), text('a/b')),
    packet(0x40, id(1)),
    packet(0x62, id(2)),
    packet(0xc0),
    packet(0xe0),
  ];
  return { login, before: [login, ...after], after };
}
