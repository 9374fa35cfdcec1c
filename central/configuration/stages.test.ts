import { expect, it } from 'vitest';
import { DAY_MS } from '../../shared/limits.ts';
import type { ConfigurationRollout } from './api.ts';
import { type ConfigurationEvent, hasNew, move, opened } from './stages.ts';

const times = { settleMs: 600_000, backMs: 300_000, share: 0.1 };
const begin = (count: number, online = true) =>
  opened(
    { scope: 'all', version: 2, from: 1, times },
    Array.from({ length: count }, (_, i) => ({ agent: `m${i}`, online })),
    0,
  );
const canaries = (rollout: ConfigurationRollout) =>
  Object.values(rollout.members).flatMap(({ agent, canary }) => (canary ? [agent] : []));

/** The events at their times, in order. */
function after(rollout: ConfigurationRollout, ...events: [number, ConfigurationEvent][]): ConfigurationRollout {
  return events.reduce((now, [atMs, event]) => move(now, event, atMs) ?? now, rollout);
}
const tick = { type: 'tick' } as const;
const of = (type: 'told' | 'applied' | 'away' | 'back' | 'started', agent: string) => ({ type, agent }) as const;

it('a tenth is tried first, the same ones each time; the others follow when those were well with it', () => {
  const first = begin(40);
  const [a, b, c, d] = canaries(first) as [string, string, string, string];
  expect(canaries(first)).toHaveLength(4);
  expect(canaries(begin(40))).toEqual(canaries(first));
  const applied = after(
    first,
    ...[a, b, c, d].flatMap(
      (m) =>
        [
          [0, of('told', m)],
          [1000, of('applied', m)],
        ] as [number, ConfigurationEvent][],
    ),
  );
  expect(Object.keys(applied.members).filter((m) => hasNew(applied, m))).toEqual(expect.arrayContaining([a, b, c, d]));
  expect(after(applied, [600_000, tick]).stage).toBe('canary');
  const all = after(applied, [601_000, tick]);
  expect(all).toMatchObject({ stage: 'all', reason: '4 machines were well with it.' });
  expect(Object.keys(all.members).every((m) => hasNew(all, m))).toBe(true);
});

it('one machine alone is its own canary, and then it is done', () => {
  const done = after(begin(1), [0, of('told', 'm0')], [1, of('applied', 'm0')], [600_001, tick]);
  expect(done).toMatchObject({ stage: 'done', reason: '1 machine was well with it: all of them.' });
});

it('one of a few canaries that loses it is enough', () => {
  const rollout = begin(20);
  const [a, b] = canaries(rollout) as [string, string];
  const lost = after(
    rollout,
    [0, of('told', a)],
    [0, of('told', b)],
    [5, of('applied', a)],
    [9, { type: 'lost', agent: b, reason: 'refused: no such device' }],
  );
  expect(lost).toMatchObject({ stage: 'reverted', reason: `1 of the machines lost it; ${b}: refused: no such device` });
  expect(hasNew(lost, a)).toBe(false);
});

it.each<[string, [number, ConfigurationEvent][], string]>([
  [
    'goes away and stays away',
    [
      [0, of('told', 'm0')],
      [10, of('away', 'm0')],
      [300_010, tick],
    ],
    'did not come back',
  ],
  [
    'is there and never has it',
    [
      [0, of('told', 'm0')],
      [300_000, tick],
    ],
    'does not say that it has it',
  ],
  [
    'starts over and over',
    [
      [0, of('told', 'm0')],
      [1, of('applied', 'm0')],
      ...[2, 3, 4, 5].map((ms): [number, ConfigurationEvent] => [ms, of('started', 'm0')]),
    ],
    'started 4 times',
  ],
])('a machine that %s reverts it', (_, events, reason) => {
  const rollout = after(begin(1), ...events);
  expect(rollout.stage).toBe('reverted');
  expect(rollout.reason).toContain(reason);
});

it('a machine that restarts with it in time is no loss', () => {
  const events: [number, ConfigurationEvent][] = [
    [0, of('told', 'm0')],
    [10, of('away', 'm0')],
    [20, of('back', 'm0')],
    [21, of('started', 'm0')],
    [30, of('applied', 'm0')],
    [300_100, tick],
  ];
  expect(after(begin(1), ...events).stage).toBe('canary');
});

it('a machine that was away before is waited for, and what nobody ever says ends', () => {
  const away = after(begin(1, false), [0, of('told', 'm0')], [DAY_MS, tick]);
  expect(away.stage).toBe('canary');
  expect(after(away, [7 * DAY_MS, tick])).toMatchObject({ stage: 'reverted', reason: 'Nothing was heard of it.' });
});

it('once it was well for long enough, what comes later is another matter', () => {
  const all = after(
    begin(2),
    [0, of('told', canaries(begin(2))[0]!)],
    [0, of('applied', canaries(begin(2))[0]!)],
    [600_000, tick],
  );
  expect(all.stage).toBe('all');
  const gone = after(all, [600_001, of('away', canaries(all)[0]!)], [DAY_MS, tick]);
  expect(gone.stage).toBe('all');
});

it('is held, let go, promoted and rolled back by hand', () => {
  const paused = after(begin(4), [10, { type: 'paused', by: 'ada' }], [20 * DAY_MS, tick]);
  expect(paused).toMatchObject({ stage: 'canary', pausedMs: 10, reason: 'Paused by ada.' });
  expect(move(paused, { type: 'promoted', by: 'ada' }, 20)).toBeNull();
  const on = after(paused, [20, { type: 'resumed', by: 'ada' }], [30, { type: 'promoted', by: 'ada' }]);
  expect(on).toMatchObject({ stage: 'all', reason: 'Promoted by ada.' });
  expect(after(on, [40, { type: 'rolledBack', by: 'ada' }])).toMatchObject({ stage: 'reverted' });
});
