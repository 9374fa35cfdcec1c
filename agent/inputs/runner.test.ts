import { describe, expect, test } from 'vitest';
import type { Clock, Instant, Timers } from '../../shared/clock.ts';
import { PicketError } from '../../shared/errors.ts';
import { formatSeries, type SeriesDefinition } from '../../shared/series.ts';
import type { Host, Input, InputKind, Log, SampleSink } from './input.ts';
import type { Intake } from './input-sink.ts';
import { InputRunner } from './runner.ts';

/** Time that stands still until it is moved; UTC is 100.4 s ahead, so that round seconds are not round here. */
class FakeTime implements Clock, Timers {
  nowMs = 0;
  utcAheadMs = 100_400;
  #timers: { at: number; callback: () => void }[] = [];
  monotonicMs = (): number => this.nowMs;
  wallMs = (): number => this.nowMs + this.utcAheadMs;
  instant = (): Instant => ({ monotonicMs: this.nowMs, utcMs: this.wallMs() });
  after(delayMs: number, callback: () => void): unknown {
    const timer = { at: this.nowMs + delayMs, callback };
    this.#timers.push(timer);
    return timer;
  }
  cancel(timer: unknown): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }
  /** Moves on, calling timers in their order and letting promises settle between them. */
  async advance(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.cancel(next);
      this.nowMs = Math.max(this.nowMs, next.at);
      next.callback();
      await settle();
    }
    this.nowMs = Math.max(this.nowMs, end);
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

class Collector implements Intake {
  readonly names: string[] = [];
  readonly definitions: SeriesDefinition[] = [];
  readonly puts: { name: string; value: number; at: number }[] = [];
  series(definition: SeriesDefinition): number {
    const name = formatSeries(definition);
    const known = this.names.indexOf(name);
    if (known >= 0) return known;
    this.definitions.push(definition);
    return this.names.push(name) - 1;
  }
  put(series: number, value: number, _quality: unknown, at: Instant): void {
    this.puts.push({ name: this.names[series]!, value, at: at.monotonicMs });
  }
  of(name: string): number[] {
    return this.puts.filter((put) => put.name === name).map((put) => put.value);
  }
  state(): void {}
  forget(): void {}
  replaced(): void {}
  document(): void {}
}

type Read = (now: Instant, sink: SampleSink, signal: AbortSignal) => void | Promise<void>;

interface Source {
  read: Read;
  opens: number;
  closes: number;
  readonly kind: InputKind<unknown>;
}

function source(read: Read, intervalMs = 1000, deadlineMs = intervalMs): Source {
  const made: Source = {
    read,
    opens: 0,
    closes: 0,
    kind: {
      doc: 'a source of a test',
      config: null as never,
      automatic: () => true,
      timing: () => ({ intervalMs, deadlineMs }),
      open: async (): Promise<Input> => {
        made.opens++;
        return {
          read: (now, sink, signal) => made.read(now, sink, signal),
          close: async () => void made.closes++,
        };
      },
    },
  };
  return made;
}

function house(): {
  time: FakeTime;
  intake: Collector;
  runner: InputRunner;
  ticks: string[];
  log: string[];
} {
  const time = new FakeTime();
  const intake = new Collector();
  const ticks: string[] = [];
  const said: string[] = [];
  const say = (_fields: object, message: string): void => void said.push(message);
  const log: Log = { debug: say, info: say, warn: say, error: say };
  const host = { procRoot: '/none', sysRoot: '/none', root: '/none', platform: 'linux', clock: time, log } as Host;
  const runner = new InputRunner({
    clock: time,
    timers: time,
    now: time.instant,
    intake,
    host,
    log,
    onTickStart: (now) => ticks.push(`start ${now.utcMs}`),
    onTickEnd: (now) => ticks.push(`end ${now.utcMs}`),
  });
  return { time, intake, runner, ticks, log: said };
}

const never = (): Promise<void> => new Promise(() => undefined);

describe('ticks', () => {
  test('are on round UTC seconds, and all inputs get one instant', async () => {
    const { time, runner, ticks } = house();
    const seen: Instant[] = [];
    const a = source((now) => void seen.push(now));
    const b = source((now) => void seen.push(now));
    runner.add('a', a.kind, {});
    runner.add('b', b.kind, {});
    await runner.start();
    await time.advance(2700);
    expect(ticks).toEqual(['start 101000', 'end 101000', 'start 102000', 'end 102000', 'start 103000', 'end 103000']);
    expect(seen).toHaveLength(6);
    expect(seen[0]).toBe(seen[1]);
  });

  test('read slower inputs at their own interval, spread over it', async () => {
    const { time, runner } = house();
    const at: string[] = [];
    const slow = (name: string): Source => source((now) => void at.push(`${name} ${now.utcMs / 1000}`), 5000);
    runner.add('x', source(() => undefined).kind, {});
    runner.add('y', slow('y').kind, {});
    runner.add('z', slow('z').kind, {});
    await runner.start();
    await time.advance(12_000);
    // Both are read at once after the start, and then at their own second of each five.
    expect(at).toEqual(['y 101', 'z 101', 'y 106', 'z 107', 'y 111', 'z 112']);
  });

  test('that took long do not pile up and are counted', async () => {
    const { time, runner, intake } = house();
    let reads = 0;
    const slow = source(() => {
      reads++;
      if (reads === 2) time.nowMs += 4300;
    });
    runner.add('slow', slow.kind, {});
    await runner.start();
    await time.advance(600); // first read
    await time.advance(1000); // second read, until 5.9
    await time.advance(800); // the next round second that lies half a tick ahead
    expect(reads).toBe(3);
    expect(runner.skippedTicks).toBe(4);
    expect(intake.of('picket.tick.skipped').at(-1)).toBe(4);
  });

  test('go on when the clock is set back an hour', async () => {
    const { time, runner } = house();
    let reads = 0;
    runner.add('a', source(() => void reads++).kind, {});
    await runner.start();
    await time.advance(2600);
    time.utcAheadMs -= 3_600_000;
    await time.advance(3000);
    expect(reads).toBe(6);
  });
});

describe('a failing input', () => {
  test('is tried again with growing pauses and harms no other', async () => {
    const { time, runner, intake, log } = house();
    const tries: number[] = [];
    const broken = source(() => {
      tries.push(time.nowMs);
      throw new PicketError('input.permission', '/proc/x may not be read.');
    });
    let healthy = 0;
    runner.add('broken', broken.kind, {});
    runner.add('well', source(() => void healthy++).kind, {});
    await runner.start();
    await time.advance(20_600);
    const pauses = tries.slice(1).map((at, i) => Math.round((at - tries[i]!) / 1000));
    // A pause, and one tick between opening and reading.
    expect(pauses).toEqual([2, 3, 5, 9]);
    expect(healthy).toBe(21);
    expect(intake.of('picket.input.failures{input="broken"}').at(-1)).toBe(5);
    expect(broken.opens - broken.closes).toBeLessThanOrEqual(1);
    const health = runner.health()[0]!;
    expect(health).toMatchObject({ name: 'broken', state: 'failing', failures: 5 });
    expect(health.lastError).toMatchObject({ code: 'input.permission', message: '/proc/x may not be read.' });
    expect(health.nextTryMs).toBe(tries.at(-1)! + 16_000);
    expect(log.filter((line) => line.includes('broken'))).toHaveLength(1);
  });

  test('waits at most five minutes, and is well again at once when it answers', async () => {
    const { time, runner, log } = house();
    const tries: number[] = [];
    let broken = true;
    const moody = source(() => {
      tries.push(time.nowMs);
      if (broken) throw new Error('no');
    });
    runner.add('moody', moody.kind, {});
    await runner.start();
    await time.advance(3_600_000);
    expect((tries.at(-1)! - tries.at(-2)!) / 1000).toBe(301);
    broken = false;
    await time.advance(302_000);
    expect(runner.health()[0]).toMatchObject({ state: 'ok', lastError: null, nextTryMs: null });
    const before = tries.length;
    await time.advance(10_000);
    expect(tries.length).toBe(before + 10);
    expect(log.some((line) => line.includes('works again'))).toBe(true);
  });

  test('that cannot be opened is tried again', async () => {
    const { time, runner } = house();
    let opens = 0;
    const kind = {
      ...source(() => undefined).kind,
      open: async () => {
        if (++opens < 3) throw new Error('not yet');
        return { read: () => undefined, close: async () => undefined };
      },
    };
    runner.add('late', kind, {});
    await runner.start();
    expect(runner.health()[0]).toMatchObject({ state: 'failing', failures: 1 });
    await time.advance(10_000);
    expect(opens).toBe(3);
    expect(runner.health()[0]).toMatchObject({ state: 'ok' });
  });
});

describe('a hanging input', () => {
  test('that does not open is tried twice, and what opens late is closed', async () => {
    const { time, runner } = house();
    const opened: ((input: Input) => void)[] = [];
    let closes = 0;
    const late: Input = { read: () => undefined, close: async () => void closes++ };
    const kind = {
      ...source(() => undefined).kind,
      open: () => new Promise<Input>((resolve) => opened.push(resolve)),
    };
    let healthy = 0;
    runner.add('stuck', kind, {});
    runner.add('well', source(() => void healthy++).kind, {});
    const starting = runner.start();
    await time.advance(600_000);
    await starting;
    expect(opened).toHaveLength(2);
    expect(runner.health()[0]).toMatchObject({ state: 'hanging', failures: 2 });
    expect(healthy).toBeGreaterThan(590);
    for (const resolve of opened) resolve(late);
    await settle();
    expect(closes).toBe(2);
    await time.advance(2000);
    expect(opened).toHaveLength(3);
  });

  test('is aborted at its deadline, and what it still brings is not let through', async () => {
    const { time, runner, intake } = house();
    let aborted = false;
    let release = (): void => undefined;
    const hanging = source((_now, sink, signal) => {
      const series = sink.series({ name: 'late', unit: '1', attributes: {}, kind: 'gauge' });
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise((resolve) => {
        release = () => {
          sink.put(series, 1);
          resolve();
        };
      });
    }, 10_000);
    runner.add('hanging', hanging.kind, {});
    await runner.start();
    await time.advance(10_000);
    expect(aborted).toBe(false);
    await time.advance(700);
    expect(aborted).toBe(true);
    expect(runner.health()[0]).toMatchObject({ state: 'hanging' });
    release();
    await settle();
    expect(intake.of('late')).toEqual([]);
  });

  test('leaves at most two reads behind, and others go on', async () => {
    const { time, runner } = house();
    let begun = 0;
    const hanging = source(() => {
      begun++;
      return never();
    });
    let healthy = 0;
    runner.add('hanging', hanging.kind, {});
    runner.add('well', source(() => void healthy++).kind, {});
    await runner.start();
    await time.advance(600_000);
    expect(begun).toBe(2);
    expect(healthy).toBe(600);
  });

  test('is never read twice at once', async () => {
    const { time, runner } = house();
    let under = 0;
    let most = 0;
    const slow = source(
      () => {
        under++;
        most = Math.max(most, under);
        return new Promise((resolve) =>
          time.after(2500, () => {
            under--;
            resolve();
          }),
        );
      },
      1000,
      5000,
    );
    runner.add('slow', slow.kind, {});
    await runner.start();
    await time.advance(10_000);
    expect(most).toBe(1);
    expect(runner.health()[0]).toMatchObject({ state: 'ok', skipped: 6 });
  });
});

test('values carry the time of their read and the interval of their input', async () => {
  const { time, runner, intake } = house();
  const slow = source(async (_now, sink) => {
    const series = sink.series({ name: 'device', unit: '1', attributes: {}, kind: 'gauge' });
    await new Promise<void>((resolve) => time.after(1500, resolve));
    sink.put(series, 7);
  }, 10_000);
  runner.add('slow', slow.kind, {});
  await runner.start();
  await time.advance(5000);
  expect(intake.puts.find((put) => put.name === 'device')).toEqual({ name: 'device', value: 7, at: 600 });
  expect(intake.definitions.find((definition) => definition.name === 'device')?.intervalMs).toBe(10_000);
});

test('stop aborts, closes and ticks no more', async () => {
  const { time, runner, ticks } = house();
  let aborted = false;
  const hanging = source((_now, _sink, signal) => {
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    return never();
  }, 60_000);
  runner.add('hanging', hanging.kind, {});
  await runner.start();
  await time.advance(1000);
  await runner.stop();
  const before = ticks.length;
  await time.advance(10_000);
  expect(aborted).toBe(true);
  expect(hanging.closes).toBe(1);
  expect(ticks.length).toBe(before);
});
