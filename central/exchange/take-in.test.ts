import { expect, test } from 'vitest';
import { limits } from '../../shared/limits.ts';
import { packPayload, unpackPayload } from '../../shared/transport/compress.ts';
import { credentialOf, type ExchangeHeader, ExchangeSealer, exchangeKey } from '../../shared/trust/exchange.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { decodeEnvelope, encodeAck, encodeEnvelope } from '../../shared/wire/envelope.ts';
import { frameRecord } from '../../shared/wire/frame.ts';
import { encodeRecord, type RecordKind } from '../../shared/wire/record.ts';
import { Answers } from './answers.ts';
import { takeIn } from './take-in.ts';

const epoch = 'e0'.repeat(16);
const bootId = 'b0'.repeat(16);
const header: ExchangeHeader = {
  direction: 'up',
  agent: 'm1',
  series: 'ab'.repeat(16),
  number: 1,
  madeMs: 1,
  salt: '01'.repeat(32),
};
const key = exchangeKey(credentialOf('a password'), header);

function envelope(seq: number, kind: RecordKind): Uint8Array {
  const body = Uint8Array.of(1);
  const record = encodeRecord({ kind, bootId, monotonicMs: 1, wallMs: 1, wallTrusted: 'yes', body });
  const about = { agent: 'm1', epoch, n: seq, incarnation: null, bootId, sentMonotonicMs: 1, highestSeq: seq };
  return packPayload(encodeEnvelope({ ...about, held: [], frames: [frameRecord(epoch, seq, record)], live: false }));
}

async function* fileOf(payloads: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  const sealer = new ExchangeSealer(key, header);
  yield sealer.header;
  yield sealer.seal({ kind: 'about', bytes: encodeJson({}) });
  for (const bytes of payloads) yield sealer.seal({ kind: 'records', bytes });
  yield sealer.seal({ kind: 'end', bytes: encodeJson({}) });
}

test('nothing overtakes a table, and of the rest several are on their way at a time', async () => {
  const underWay = new Map<number, () => void>();
  const log: string[] = [];
  const taken = takeIn(
    {
      key: async () => key,
      reported: async () => {},
      records: async (_agent, payload) => {
        const { n } = decodeEnvelope(unpackPayload(payload, limits.inflatedBytes));
        log.push(`sent ${n}`);
        await new Promise<void>((resolve) => underWay.set(n, resolve));
        log.push(`taken ${n}`);
        const settled = { contiguous: 0, settled: [[n, n]] as const, full: false, need: [], renewEpoch: false };
        return encodeAck({ incarnation: '1'.repeat(32), epoch, n, sentMonotonicMs: 1, centralMs: 1, ...settled });
      },
    },
    header,
    fileOf([
      envelope(1, 'top'),
      envelope(2, 'table'),
      envelope(3, 'table'),
      envelope(4, 'rollup'),
      envelope(5, 'rollup'),
    ]),
    new Answers(),
  );
  const sent = (n: number) => expect.poll(() => underWay.has(n)).toBe(true);
  await sent(2);
  expect(log).toEqual(['sent 1', 'sent 2']);
  underWay.get(2)!();
  await sent(3);
  underWay.get(3)!();
  await sent(5);
  expect(log.slice(2)).toEqual(['taken 2', 'sent 3', 'taken 3', 'sent 4', 'sent 5']);
  for (const release of underWay.values()) release();
  expect(await taken).toMatchObject({ envelopes: 5, records: 5, problems: [] });
});
