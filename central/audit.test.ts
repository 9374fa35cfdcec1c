import { expect, test } from 'vitest';
import { createAudit } from './audit.ts';
import { createBus } from './bus.ts';
import { fakeDocuments, fleetEvent } from './http/fakes.ts';

test('the trail lists the newest first, page by page, and keeps entries of one moment apart', async () => {
  const clock = { nowMs: 1000 };
  const audit = createAudit(fakeDocuments(), () => clock.nowMs);
  const add = (action: string) => audit.add({ actor: 'admin', action, target: '', detail: 'x'.repeat(1000) });
  await add('a');
  await add('b');
  clock.nowMs = 20_000;
  await add('c');
  const actions = async (limit: number, before?: number) =>
    (await audit.list(limit, before)).map(({ action }) => action);
  expect(await actions(10)).toEqual(['c', 'b', 'a']);
  expect(await actions(1)).toEqual(['c']);
  expect(await actions(10, 20_000)).toEqual(['b', 'a']);
  expect(await actions(10, 1000)).toEqual([]);
  expect((await audit.list(1))[0]).toMatchObject({ atMs: 20_000, actor: 'admin', detail: 'x'.repeat(500) });
});

test('a listener that throws harms nobody else, and each subscription ends alone', () => {
  const errors: unknown[] = [];
  const bus = createBus((error) => void errors.push(error));
  const seen: string[] = [];
  bus.subscribe(() => {
    throw new Error('mine');
  });
  const listener = () => void seen.push('x');
  const end = bus.subscribe(listener);
  bus.subscribe(listener);
  bus.publish(fleetEvent);
  expect([seen.length, errors.length]).toEqual([2, 1]);
  end();
  end();
  bus.publish(fleetEvent);
  expect(seen).toHaveLength(3);
});
