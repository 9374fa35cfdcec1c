/** On this host, which is Linux: what systeminformation says agrees with what the files say. */
import { expect, test, vi } from 'vitest';
import type { Host, InputKind } from '../../agent/inputs/input.ts';
import { inputKinds } from '../../agent/inputs/registry.ts';
import { Collected, configOf, openInput, quietLog, readOnce } from '../contract/inputs-harness.ts';

const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const host: Host = { procRoot: '/proc', sysRoot: '/sys', root: '/', platform: 'linux', clock, log: quietLog };
const now = () => ({ monotonicMs: clock.monotonicMs(), utcMs: clock.wallMs() });

test('memory, filesystems and load agree with the Linux inputs, and processor shares add up', async () => {
  const into = new Collected();
  const names = ['linux.memory', 'linux.filesystem', 'linux.load', 'system-information'];
  const opened = await Promise.all(
    names.map((name) => {
      const kind = inputKinds.get(name) as InputKind<unknown>;
      return openInput(kind, configOf(kind), host, into);
    }),
  );
  const read = async (): Promise<void> => {
    for (const one of opened) await readOnce(one, now());
  };
  await read();
  // Rates want a second reading; the module answers anew only after a while.
  const startMs = clock.monotonicMs();
  await vi.waitFor(() => expect(clock.monotonicMs() - startMs).toBeGreaterThan(1000), { timeout: 5000 });
  await read();
  for (const one of opened) await one.input.close();

  const own = new Map<string, number>();
  for (const [name, value] of into.values) {
    const plain = name
      .replace(/source="systeminformation",?/, '')
      .replace(',}', '}')
      .replace('{}', '');
    if (plain !== name && value !== null) own.set(plain, value);
  }
  const tolerances: readonly [RegExp, number][] = [
    [/^system\.memory\.limit/, 1],
    [/^system\.memory\.usage.*"free"/, 5e8],
    [/^system\.memory\.utilization/, 0.05],
    [/^system\.filesystem\.limit/, 1e7],
    [/^system\.filesystem\.usage.*"(used|free)"/, 1e9],
    [/^system\.filesystem\.utilization/, 0.02],
    [/^system\.cpu\.load_average/, 0.3],
  ];
  let compared = 0;
  for (const [name, value] of own) {
    const tolerance = tolerances.find(([pattern]) => pattern.test(name))?.[1];
    const linux = into.values.get(name);
    if (tolerance === undefined || linux === undefined || linux === null) continue;
    compared++;
    expect(
      Math.abs(value - linux),
      `${name}: ${value} by systeminformation, ${linux} by the files`,
    ).toBeLessThanOrEqual(tolerance);
  }
  // Limit, free, used share of the memory; three loads. Filesystems come beside where the machine shows any: a changed
  // root shows none.
  expect(compared).toBeGreaterThanOrEqual(6);
  // Rates over spans that are not the same can be compared only as shares of the whole.
  const modes = [...own].filter(([name]) => /^system\.cpu\.utilization\{cpu\.mode="\w+"\}$/.test(name));
  expect(modes.reduce((sum, [, value]) => sum + value, 0)).toBeGreaterThan(0.9);
  expect(modes.reduce((sum, [, value]) => sum + value, 0)).toBeLessThan(1.1);
});
