import { expect, test } from 'vitest';
import type { Incident } from '../../shared/findings.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { Keeper, remember } from './meta.ts';

function incident(seq: number, state: Incident['state'] = 'open'): Incident {
  return {
    epoch: 'e'.repeat(32),
    seq,
    revision: 2,
    state,
    severity: 'info',
    openedMs: 1,
    updatedMs: 2,
    closedMs: null,
    title: `incident ${seq}`,
    findings: [],
    more: 0,
  };
}

function disk() {
  const values = new Map<string, Uint8Array>();
  const outbox = {
    getMeta: async (key: string) => values.get(key) ?? null,
    setMeta: async (key: string, value: Uint8Array) => void values.set(key, value),
    flush: async () => {},
  } as unknown as Outbox;
  return { values, outbox, keeper: new Keeper(outbox, () => {}) };
}

test('all incidents that are open are remembered, each by its latest revision', async () => {
  const { outbox, keeper } = disk();
  for (const seq of [1, 2, 3]) keeper.incident(incident(seq));
  keeper.incident(incident(2, 'closed'));
  keeper.incident({ ...incident(3), revision: 9 });
  const { incidents } = await remember(outbox);
  expect(incidents.map(({ seq, revision }) => [seq, revision])).toEqual([
    [1, 2],
    [3, 9],
  ]);
  keeper.incident(incident(1, 'closed'));
  keeper.incident(incident(3, 'closed'));
  expect((await remember(outbox)).incidents).toEqual([]);
});

test('one that an older agent kept by itself is remembered; what cannot be read is left out, and no more than sixteen', async () => {
  const { outbox, keeper, values } = disk();
  values.set('incident', new TextEncoder().encode(JSON.stringify(incident(7))));
  expect((await remember(outbox)).incidents).toEqual([incident(7)]);
  values.set('incident', new TextEncoder().encode(JSON.stringify([{ ...incident(8), severity: 'grim' }, incident(9)])));
  expect((await remember(outbox)).incidents).toEqual([incident(9)]);
  values.set('incident', new TextEncoder().encode('[{'));
  expect((await remember(outbox)).incidents).toEqual([]);
  for (let seq = 1; seq < 40; seq++) keeper.incident(incident(seq));
  expect((await remember(outbox)).incidents.length).toBe(16);
});
