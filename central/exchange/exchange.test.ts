import { expect, test } from 'vitest';
import { credentialOf, exchangeKey } from '../../shared/trust/exchange.ts';
import type { Reported } from '../../shared/trust/messages.ts';
import { decodeAck, encodeAck, settledBy } from '../../shared/wire/envelope.ts';
import type { SeqRanges } from '../../shared/wire/ranges.ts';
import { someAgent } from '../http/fake-values.ts';
import { fakeDocuments } from '../http/fakes.ts';
import { Answers } from './answers.ts';
import { createExchange } from './exchange.ts';

const credential = credentialOf('a password');
const salt = '01'.repeat(32);
const series = 'ab'.repeat(16);

function exchangeOf(agent: Partial<typeof someAgent>) {
  const taken: Reported[] = [];
  let state = { ...someAgent, ...agent };
  const exchange = createExchange({
    documents: fakeDocuments(),
    fleet: {
      agent: (id) => (id === someAgent.id ? state : null),
      credential: () => credential,
      onReported: (_id, reported) => {
        taken.push(reported);
        state = { ...state, reported };
      },
    },
    ingest: { answer: async () => Uint8Array.of(1) },
    models: {
      onReported: async () => {},
      handover: async () => ({ manifest: null, releases: [] }),
      chunk: async () => null,
    },
  });
  return { exchange, taken };
}

const reported = (manifestVersion: number): Reported => ({ ...someAgent.reported!, manifestVersion });

test('the key of a file is made of the agent’s credential; unknown and retired agents have none', async () => {
  const file = { agent: someAgent.id, direction: 'up', salt } as const;
  expect(exchangeOf({}).exchange.key(file)).toEqual(exchangeKey(credential, file));
  expect(() => exchangeOf({}).exchange.key({ ...file, agent: 'nobody' })).toThrow(
    expect.objectContaining({ code: 'agent.unknown' }),
  );
  const { exchange } = exchangeOf({ retiredMs: 1 });
  expect(() => exchange.key(file)).toThrow(expect.objectContaining({ code: 'agent.retired' }));
  await expect(exchange.records(someAgent.id, Uint8Array.of(1))).rejects.toMatchObject({ code: 'agent.retired' });
});

test('what an agent reported by hand is taken in its order, and never after what it says itself', async () => {
  const { exchange, taken } = exchangeOf({ presence: 'offline', reported: null });
  const report = (number: number, floor: number, of = series) =>
    exchange.reported(someAgent.id, { series: of, number }, reported(floor));
  await report(1, 1);
  await report(3, 2);
  await report(2, 1);
  // The same file again; and one of an outbox that began anew, whose floor did too.
  await report(3, 2);
  await report(1, 0, 'cd'.repeat(16));
  expect(taken.map(({ manifestVersion }) => manifestVersion)).toEqual([1, 2, 2, 0]);

  // Over the connection it was heard with a higher floor than an export from before that says.
  const later = exchangeOf({ presence: 'offline', reported: null });
  await later.exchange.reported(someAgent.id, { series, number: 1 }, reported(5));
  await later.exchange.reported(someAgent.id, { series, number: 2 }, reported(4));
  expect(later.taken.length).toBe(1);

  const online = exchangeOf({ presence: 'online' });
  await online.exchange.reported(someAgent.id, { series, number: 1 }, reported(9));
  expect(online.taken).toEqual([]);
});

const ack = (incarnation: string, epoch: string, settled: SeqRanges, need: readonly string[] = []) =>
  encodeAck({
    incarnation: incarnation.repeat(32),
    epoch: epoch.repeat(32),
    n: 1,
    sentMonotonicMs: 1,
    centralMs: 1,
    contiguous: 0,
    settled,
    full: false,
    need,
    renewEpoch: false,
  });

test('answers are gathered by epoch, whatever their order and number', () => {
  const answers = new Answers();
  const many: SeqRanges = Array.from({ length: 2000 }, (_, i) => [2 * i + 1, 2 * i + 1]);
  answers.take(ack('1', 'a', [[1, 3]], ['00112233aabbccdd']));
  answers.take(ack('1', 'b', many));
  answers.take(ack('1', 'a', [[4, 5]]));
  answers.take(ack('1', 'a', [[1, 3]]));
  const said = [...answers.messages(7)].map(decodeAck);
  expect(said.map(({ epoch }) => epoch[0])).toEqual(['a', 'b', 'b']);
  expect(settledBy(said[0]!)).toEqual([[1, 5]]);
  expect(said[0]).toMatchObject({ centralMs: 7, need: ['00112233aabbccdd'], full: true });
  expect([...settledBy(said[1]!), ...settledBy(said[2]!)]).toEqual(many);
});

test('answers of two starts of the central are not put together', () => {
  const answers = new Answers();
  answers.take(ack('1', 'a', [[1, 3]]));
  expect(() => answers.take(ack('2', 'a', []))).toThrow(expect.objectContaining({ code: 'conflict' }));
});
