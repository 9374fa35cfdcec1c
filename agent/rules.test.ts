import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Rule } from '../shared/rules/rule.ts';
import { RuleWorld, rule } from './rules/rules.fixture.ts';

const above = (limit: number, clear = limit): Rule['condition'] => ({ kind: 'threshold', side: 'above', limit, clear });
const hot = rule('hot', { condition: above(90, 80), forMs: 3000, clearForMs: 2000 });

describe('a threshold', () => {
  test('says what was wrong, the value, the limit, since when and what to do', () => {
    const world = new RuleWorld([hot]);
    const x = world.series('m.x', { device: 'boiler' });
    world.pass(2, [x, 20]);
    const sinceMs = world.at.utcMs + 1000;
    world.pass(1, [x, 91]);
    world.pass(2, [x, 95]);
    expect(world.words()).toEqual([]);
    world.put(x, 93);
    world.pass(1, [x, 93]);
    expect(world.told).toMatchObject([
      {
        detector: 'rule',
        rule: 'hot',
        key: { name: 'm.x', unit: '1', attributes: { device: 'boiler' } },
        sinceMs,
        seen: 95,
        limit: 90,
        severity: 'warning',
        wrong: 'boiler is wrong',
        advice: 'Set it right.',
        holds: true,
      },
    ]);
    expect(world.told[0]).not.toHaveProperty('ended');
  });

  test('ends with its last word, and tells the end of what was wrong', () => {
    const world = new RuleWorld([hot]);
    const x = world.series('m.x');
    world.pass(10, [x, 95]);
    world.pass(20, [x, 85]);
    expect(world.words()).toEqual(['hot fires']);
    const endMs = world.at.utcMs + 1000;
    world.pass(5, [x, 79]);
    expect(world.told).toMatchObject([{ rule: 'hot', ended: true, lastMs: endMs, seen: 95 }]);
  });

  test('looks only at what it selects', () => {
    const selector = { metric: 'm.*', where: { device: 'boiler*' }, except: { device: '*-test' } };
    const world = new RuleWorld([rule('r', { condition: above(1), selector })]);
    for (const device of ['boiler-1', 'boiler-test', 'pump']) world.put(world.series('m.x', { device }), 5);
    world.put(world.series('n.x', { device: 'boiler-2' }), 5);
    world.put(world.series('m.y'), 5);
    expect(world.told.map(({ key }) => key.attributes.device)).toEqual(['boiler-1']);
  });

  test('no value is neither wrong nor well', () => {
    const world = new RuleWorld([hot]);
    const x = world.series('m.x');
    world.pass(5, [x, 95]);
    world.pass(60, [x, Number.NaN]);
    expect(world.words()).toEqual(['hot fires']);
  });

  test('a limit that follows from the size of the thing: little of a large disk is enough', () => {
    const own = { metric: 'm.size', unit: '1', attributes: {}, plus: 0, atMost: 5, least: 1 };
    const condition: Rule['condition'] = {
      kind: 'threshold',
      side: 'below',
      limit: { ...own, share: 0.05 },
      clear: { ...own, share: 0.07, atMost: 7 },
    };
    const world = new RuleWorld([rule('low', { condition })]);
    const disks = [
      { size: 2000, free: 20 },
      { size: 2000, free: 4 },
      { size: 20, free: 0.9 },
      { size: 20, free: 1.1 },
      { size: 0.5, free: 0 },
    ];
    for (const [index, { size, free }] of disks.entries()) {
      world.put(world.series('m.size', { device: `d${index}` }), size);
      world.put(world.series('m.x', { device: `d${index}` }), free);
    }
    // Its size is not known: nothing is said.
    world.put(world.series('m.x', { device: 'strange' }), 0);
    expect(world.told.map(({ key, limit }) => [key.attributes.device, limit])).toEqual([
      ['d1', 5],
      ['d2', 1],
    ]);
  });

  test('what its limit follows from may appear later', () => {
    const own = { metric: 'm.size', unit: '1', attributes: {}, share: 0.1, plus: 0, atMost: 9, least: 0 };
    const world = new RuleWorld([
      rule('low', { condition: { kind: 'threshold', side: 'below', limit: own, clear: own } }),
    ]);
    const x = world.series('m.x');
    world.pass(2, [x, 1]);
    expect(world.words()).toEqual([]);
    world.pass(2, [world.series('m.size'), 50], [x, 1]);
    expect(world.words()).toEqual(['low fires']);
  });
});

test('a rate is the change a second over its span', () => {
  const condition: Rule['condition'] = { kind: 'rate', side: 'above', limit: 0.5, clear: 0.1, overMs: 60_000 };
  const world = new RuleWorld([rule('rises', { condition })]);
  const x = world.series('m.x');
  world.pass(100, [x, 20]);
  // A spike of one sample rises by much for a moment, and not by as much as 0.5 a second over a minute.
  world.pass(1, [x, 40]);
  world.pass(100, [x, 20]);
  expect(world.words()).toEqual([]);
  let level = 20;
  for (; level < 90; level++) world.pass(1, [x, level]);
  expect(world.told).toMatchObject([
    { seen: null, wrong: expect.stringMatching(/: 3\d\d\d % a minute, limit 3000 % a minute$/) },
  ]);
  expect(world.words()).toEqual(['rises fires']);
  world.pass(70, [x, level]);
  expect(world.words()).toEqual(['rises ended']);
});

describe('absence', () => {
  const condition: Rule['condition'] = { kind: 'absence', afterMs: 30_000 };

  test('of a series that was there', () => {
    const world = new RuleWorld([rule('silent', { condition })]);
    const x = world.series('m.x');
    world.pass(100, [x, 1]);
    world.pass(29);
    expect(world.words()).toEqual([]);
    world.pass(2);
    expect(world.words()).toEqual(['silent fires']);
    world.pass(1, [x, 1]);
    expect(world.words()).toEqual(['silent ended']);
  });

  test('of a series that its input gave up', () => {
    const world = new RuleWorld([rule('silent', { condition })]);
    const x = world.series('m.x');
    world.pass(5, [x, 1]);
    world.registry.forget(x);
    world.stage.forget(x);
    world.registry.recycle();
    world.pass(40);
    expect(world.words()).toEqual(['silent fires']);
    world.pass(1, [world.series('m.x'), 1]);
    expect(world.words()).toEqual(['silent ended']);
  });

  test('of a series that never was, where the rule names one', () => {
    const world = new RuleWorld([
      rule('silent', { condition }),
      rule('some', { condition, selector: { metric: 'm.*', where: {}, except: {} } }),
    ]);
    world.pass(35);
    expect(world.words()).toEqual(['silent fires']);
    world.pass(1, [world.series('m.x', { device: 'late' }), 1]);
    expect(world.words()).toEqual(['silent ended']);
    world.pass(40);
    expect(world.words().sort()).toEqual(['silent fires', 'some fires']);
  });
});

describe('a state', () => {
  const key = { name: 'm.mode', unit: '', attributes: { path: '/data' } };
  const bad = rule('bad', { condition: { kind: 'state', is: ['ro'], was: null }, forMs: 2000 }, 'm.mode');
  const turned = rule('turned', { condition: { kind: 'state', is: ['ro'], was: ['rw'] } }, 'm.mode');

  test('lasts without a word', () => {
    const world = new RuleWorld([bad]);
    world.state(key, 'rw');
    world.pass(5);
    world.state(key, 'ro');
    world.pass(1);
    expect(world.words()).toEqual([]);
    world.pass(2);
    expect(world.words()).toEqual(['bad fires']);
    world.state(key, 'rw');
    expect(world.words()).toEqual(['bad ended']);
  });

  test('that is so by nature is well; one that turned is not', () => {
    const world = new RuleWorld([turned]);
    world.state(key, 'ro');
    world.pass(100);
    expect(world.words()).toEqual([]);
    world.state(key, 'rw');
    world.pass(100);
    world.state(key, 'ro');
    expect(world.words()).toEqual(['turned fires']);
    world.state(key, 'rw');
    expect(world.words()).toEqual(['turned ended']);
  });

  test('of a thing that is gone ends, and begins anew when it is back', () => {
    const world = new RuleWorld([turned]);
    world.state(key, 'rw');
    world.state(key, 'ro');
    expect(world.words()).toEqual(['turned fires']);
    world.state(key, 'gone');
    expect(world.words()).toEqual(['turned ended']);
    world.state(key, 'ro');
    world.pass(100);
    expect(world.words()).toEqual([]);
  });

  test('that cannot be told is as it was before, also over a restart', () => {
    const world = new RuleWorld([bad]);
    world.state(key, 'unknown');
    world.pass(10);
    expect(world.words()).toEqual([]);
    world.state(key, 'ro');
    world.pass(3);
    world.restart();
    world.words();
    world.state(key, 'unknown');
    world.pass(30);
    expect(world.words()).toEqual(['bad fires']);
    world.state(key, 'rw');
    expect(world.words()).toEqual(['bad ended']);
  });

  test('that was well before a restart and is not after it is found', () => {
    const world = new RuleWorld([turned]);
    world.state(key, 'rw');
    world.pass(2);
    world.restart(undefined, { reboot: true });
    world.state(key, 'ro');
    expect(world.words()).toEqual(['turned fires']);
  });
});

test('time to full: no forecast means that it is not in sight', () => {
  const world = new RuleWorld([rule('full', { condition: { kind: 'timeToFull', limit: 3600, clear: 7200 } })]);
  const x = world.series('m.x');
  world.pass(5, [x, Number.NaN], [x, 5000]);
  expect(world.words()).toEqual([]);
  world.pass(1, [x, 3000]);
  expect(world.words()).toEqual(['full fires']);
  world.pass(1, [x, 5000]);
  expect(world.words()).toEqual([]);
  world.pass(1, [x, Number.NaN]);
  expect(world.words()).toEqual(['full ended']);
});

describe('a restart', () => {
  test('goes on with what still is so, since when it was so', () => {
    for (const reboot of [false, true]) {
      const world = new RuleWorld([hot]);
      let x = world.series('m.x');
      world.pass(10, [x, 95]);
      const [first] = world.told;
      world.words();
      world.restart(undefined, { reboot });
      x = world.series('m.x');
      world.pass(30, [x, 92]);
      // Told once more, should the incident not have survived: the same finding, not another one.
      expect(world.told).toMatchObject([{ rule: 'hot', series: first!.series, sinceMs: first!.sinceMs, seen: 95 }]);
      expect(world.words()).toEqual(['hot fires']);
      world.pass(10, [x, 20]);
      expect(world.words()).toEqual(['hot ended']);
    }
  });

  test('ends what is over meanwhile, what does not come back, and what the configuration no longer has', () => {
    const world = new RuleWorld([hot]);
    world.pass(10, [world.series('m.x'), 95]);
    world.words();
    const { kept } = world;

    world.restart();
    world.pass(10, [world.series('m.x'), 20]);
    expect(world.words()).toEqual(['hot ended']);

    world.kept = kept;
    world.restart();
    world.pass(590);
    expect(world.words()).toEqual([]);
    world.pass(20);
    expect(world.words()).toEqual(['hot ended']);

    world.kept = kept;
    world.restart([]);
    expect(world.words()).toEqual(['hot ended']);
    world.pass(1);
    world.restart([hot]);
    world.pass(700);
    expect(world.words()).toEqual([]);
  });

  test('a firing of absence and of a state goes on as well', () => {
    const key = { name: 'm.mode', unit: '', attributes: {} };
    const rules = [
      rule('silent', { condition: { kind: 'absence', afterMs: 5000 } }),
      rule('bad', { condition: { kind: 'state', is: ['ro'], was: null } }, 'm.mode'),
    ];
    const world = new RuleWorld(rules);
    world.pass(1, [world.series('m.x'), 1]);
    world.state(key, 'ro');
    world.pass(10);
    expect(world.words().sort()).toEqual(['bad fires', 'silent fires']);
    world.restart();
    world.state(key, 'ro');
    world.pass(30);
    expect(world.words().sort()).toEqual(['bad fires', 'silent fires']);
    world.state(key, 'rw');
    world.pass(1, [world.series('m.x'), 1]);
    expect(world.words().sort()).toEqual(['bad ended', 'silent ended']);
  });

  test('at any time neither loses nor doubles a firing', () => {
    const step = fc.record({ value: fc.constantFrom(20, 85, 95), seconds: fc.integer({ min: 1, max: 6 }) });
    const steps = fc.array(fc.oneof({ weight: 4, arbitrary: step }, fc.constant(null)), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (all) => {
        const world = new RuleWorld([hot]);
        let x = world.series('m.x');
        let fires = false;
        for (const one of all) {
          if (one === null) {
            world.restart();
            x = world.series('m.x');
            // What it must be after a restart follows from what it was: told again it may be, ended it may not be.
            world.put(x, fires ? 85 : 20);
          } else world.pass(one.seconds, [x, one.value]);
          for (const { ended, sinceMs } of world.told.splice(0)) {
            expect(sinceMs).toBeLessThanOrEqual(world.at.utcMs);
            if (ended) expect(fires).toBe(true);
            fires = ended !== true;
          }
          expect(world.stage.firing).toBe(fires ? 1 : 0);
        }
        world.pass(10, [x, 20]);
        expect(world.told.filter(({ ended }) => ended)).toHaveLength(fires ? 1 : 0);
      }),
      { numRuns: 300 },
    );
  });

  test('with a damaged memory begins anew', () => {
    const world = new RuleWorld([hot]);
    world.kept = new TextEncoder().encode('{"firing": [{"rule": 7}], "well": []}');
    world.restart();
    world.pass(10, [world.series('m.x'), 95]);
    expect(world.words()).toEqual(['hot fires']);
  });
});

test('a series that is gone ends what it was about; one that is back soon goes on', () => {
  const world = new RuleWorld([hot]);
  const unplug = (): void => {
    world.registry.forget(x);
    world.stage.forget(x);
    world.registry.recycle();
  };
  let x = world.series('m.x');
  world.pass(10, [x, 95]);
  unplug();
  world.pass(30);
  x = world.series('m.x');
  world.pass(10, [x, 95]);
  expect(world.words()).toEqual(['hot fires']);
  unplug();
  // Its number is another's now.
  world.pass(70, [world.series('m.other'), 95]);
  expect(world.words()).toEqual(['hot ended']);
});

test('more series than are followed are left out, and the others are judged', () => {
  const world = new RuleWorld([rule('r', { condition: above(1) }, 'm.*')]);
  for (let i = 0; i < 4500; i++) world.put(world.series(`m.s${i}`), 5);
  expect(world.stage.firing).toBe(4096);
});
