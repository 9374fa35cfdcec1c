import { afterEach, expect, test } from 'vitest';
import { BlockWriter } from '../../shared/wire/block.ts';
import { encodeEvidence } from '../../shared/wire/bodies.ts';
import { EPOCH, SERIES, START_MS } from './fake-values.ts';
import { ADMIN_TOKEN, fakeServices, startTestServer, type TestServer } from './fakes.ts';

let server: TestServer;
afterEach(() => server.app.close());

const key = { name: 'system.memory.usage', unit: 'By', attributes: { state: 'used' } };
const TABLE = 'ab'.repeat(8);

function block(values: number[]): Uint8Array {
  const writer = new BlockWriter(new Uint8Array(64 * 1024));
  values.forEach((value, i) => {
    expect(writer.append(START_MS + i * 1000, value)).toBe(true);
  });
  return writer.finish();
}

function body(blocks: { series: number; data: Uint8Array }[], table = TABLE): Uint8Array {
  return encodeEvidence({
    incidentEpoch: EPOCH,
    incidentSeq: 17,
    table,
    fromWallMs: START_MS,
    toWallMs: START_MS + 2000,
    blocks,
  });
}

async function ask(bodies: Uint8Array[]) {
  const { services } = fakeServices();
  server = await startTestServer({
    services: {
      store: {
        ...services.store,
        evidence: async (_agent, epoch, seq) => (epoch === EPOCH && seq === 17 ? bodies : []),
        table: async (_agent, hash) => (hash === TABLE ? [{ id: SERIES, ...key }] : null),
      },
    },
  });
  const url = `/api/v1/agents/pump-7/incidents/${EPOCH}/17/evidence`;
  return (await server.app.inject({ url, headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).json();
}

test('values come back exactly, a missing one as null, with the name of their series', async () => {
  expect(await ask([body([{ series: 0, data: block([0.1, Number.NaN, 1e300]) }])])).toEqual({
    parts: [
      {
        fromMs: START_MS,
        toMs: START_MS + 2000,
        series: [
          {
            series: SERIES,
            key,
            timesMs: [START_MS, START_MS + 1000, START_MS + 2000],
            values: [0.1, null, 1e300],
          },
        ],
      },
    ],
    omitted: 0,
  });
});

test('what cannot be read is counted and hides nothing else', async () => {
  const good = { series: 0, data: block([1]) };
  const bodies = [
    Uint8Array.of(1, 2, 3),
    body([{ series: 5, data: block([1]) }, { series: 0, data: Uint8Array.of(9) }, good]),
    body([good], 'cd'.repeat(8)),
    body([good]),
  ];
  const answer = await ask(bodies);
  expect(answer.omitted).toBe(4);
  expect(answer.parts.map(({ series }: { series: unknown[] }) => series.length)).toEqual([1, 0, 1]);
});

test('the samples of one answer are bounded', async () => {
  const many = { series: 0, data: block(new Array(8_000).fill(7)) };
  const answer = await ask([body(new Array(40).fill(many))]);
  expect(answer.parts[0].series).toHaveLength(37);
  expect(answer.omitted).toBe(3);
});
