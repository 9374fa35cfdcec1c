/** Lets a plan's faults happen: each at some time of the run, in some strength, for some while. */
import { decodeEpochRow, decodeStored, parseRecordKey } from '../../../agent/outbox/layout.ts';
import { unite } from '../../../shared/wire/ranges.ts';
import { goodBroker } from './broker.ts';
import { goodCentral } from './central.ts';
import { goodDisk } from './disk.ts';
import { bytesOf, Image } from './image.ts';
import type { SimMachine } from './machine.ts';
import type { FaultKind } from './plan.ts';
import type { World } from './world.ts';

export function schedule(all: World): void {
  const { world, plan, broker, central, load } = all;
  const has = (kind: FaultKind): boolean => plan.has.has(kind);
  const machine = (): SimMachine => all.machines[world.integer(all.machines.length)]!;
  const at = (ms: number, what: () => unknown): unknown => world.timers.after(ms, () => all.making && void what());
  const sometime = (what: () => unknown): unknown => at(world.next() * plan.makingMs, what);
  /** So often, at most. */
  const times = (kind: FaultKind, most: number, what: () => unknown): void => {
    if (has(kind)) for (let i = 1 + world.integer(most); i > 0; i--) sometime(what);
  };
  /** From some time on for a while. */
  const spells = (kind: FaultKind, most: number, longestMs: number, begin: () => () => void): void => {
    times(kind, most, () => {
      const end = begin();
      at(world.next() * longestMs, end);
    });
  };

  for (let i = 0; i < plan.records; i++) sometime(() => load.some(machine()));
  times('badBodies', 3, () => load.document(machine(), 'detail', 'bad'));
  times('unanswered', 2, () => load.document(machine(), 'incident', 'unanswered'));

  if (has('loss')) broker.mood.lost = world.next() * 0.12;
  if (has('doubling')) broker.mood.doubled = world.next() * 0.5;
  if (has('damage')) broker.mood.damaged = world.next() * 0.05;
  if (has('delay')) broker.mood.delayMs = world.chance(0.5) ? 500 : 4_000;
  if (has('noPuback')) broker.mood.unanswered = world.next();
  spells('silence', 2, 40_000, () => {
    broker.mood.silent = true;
    return () => {
      broker.mood.silent = goodBroker.silent;
    };
  });
  times('brokerKills', 3, () => {
    broker.kill();
    at(world.next() * 10_000, () => broker.start());
  });
  times('disconnects', 4, () => machine().disconnected());

  if (has('slowCommits')) central.mood.commitMs = world.chance(0.5) ? 300 : 3_000;
  if (has('tablesLost')) central.mood.tablesLost = world.next() * 0.5;
  if (has('failingCommits')) central.mood.fails = world.next() * 0.3;
  if (has('centralKillsInTheMiddle')) {
    central.mood.endsBefore = world.next() * 0.08;
    central.mood.endsAfter = world.next() * 0.08;
  }
  times('centralKills', 3, () => {
    central.end();
    // What the one said can be on its way when the next one speaks.
    at(world.next() * (world.chance(0.5) ? 100 : 20_000), () => central.start());
  });
  const setBack = (share: () => number) => async () => {
    await central.setBackTo(share());
    at(world.next() * 5_000, () => central.start());
  };
  times(
    'restored',
    2,
    setBack(() => world.next()),
  );
  times(
    'emptied',
    1,
    setBack(() => 0),
  );

  const restart = (one: SimMachine, powerCut: boolean): void => {
    one.kill(powerCut);
    at(world.next() * 5_000, () => one.start());
    if (!has('gone') || world.chance(0.5)) return;
    // Its disk is not there when it starts.
    one.disk.mood.refuses = 'all';
    at(5_000 + world.next() * 30_000, () => {
      one.disk.mood.refuses = goodDisk.refuses;
    });
  };
  times('kills', 4, () => restart(machine(), false));
  times('powerCuts', 3, () => restart(machine(), true));
  times('killsInTheMiddle', 5, () => {
    const one = machine();
    const powerCut = world.chance(0.5);
    one.disk.countdown = 1 + world.integer(30);
    one.disk.atZero = () => restart(one, powerCut);
  });
  // Its disk is not there at its start, and the central is not the one that the disk remembers.
  times('startsBlind', 1, async () => {
    const one = machine();
    one.kill(world.chance(0.5));
    one.disk.mood.refuses = 'all';
    await central.setBackTo(world.next());
    central.start();
    one.start();
    void load.document(one, 'detail');
    at(2_000 + world.next() * 20_000, () => {
      one.disk.mood.refuses = goodDisk.refuses;
    });
  });
  times('crashLoop', 1, () => {
    const one = machine();
    let left = 10 + world.integer(30);
    const again = (): void => {
      one.kill(world.chance(0.2));
      one.start();
      if (world.chance(0.5)) void load.document(one, 'detail');
      if (--left > 0) at(world.next() * 300, again);
    };
    again();
  });
  times('wallJumps', 4, () => {
    const lot = world.next();
    machine().wallOffsetMs = lot < 0.3 ? -world.clock.wallMs() : lot < 0.5 ? 0 : (world.next() - 0.5) * 6 * 86_400_000;
  });
  for (const one of all.machines) scheduleDisk(all, one, { at, times, spells });
}

interface When {
  at(ms: number, what: () => unknown): unknown;
  times(kind: FaultKind, most: number, what: () => unknown): void;
  spells(kind: FaultKind, most: number, longestMs: number, begin: () => () => void): void;
}

function scheduleDisk(all: World, one: SimMachine, { at, times, spells }: When): void {
  const { world, plan, truth, trace } = all;
  const { disk } = one;
  const { mood } = disk;
  const has = (kind: FaultKind): boolean => plan.has.has(kind);
  const share = (kind: FaultKind, most: number): number => (has(kind) ? world.next() * most : 0);
  if (has('slowDisk')) mood.writeMs = world.chance(0.5) ? 50 : 1_000;
  if (has('slowReads')) mood.readMs = 20;
  mood.writeErrors = share('writeErrors', 0.1);
  mood.landedErrors = share('landedErrors', 0.1);
  mood.readErrors = share('readErrors', 0.03);
  mood.openErrors = share('openErrors', 0.4);
  mood.movedAside = share('movedAside', 0.5);
  const refuses = (how: 'writes' | 'all') => () => {
    mood.refuses = how;
    return () => {
      mood.refuses = goodDisk.refuses;
    };
  };
  spells('full', 3, 30_000, refuses('writes'));
  spells('gone', 2, 30_000, refuses('all'));
  times('flips', 4, () => flip(all, one));
  const offWith = (what: () => void): void => {
    one.kill(true);
    what();
    at(world.next() * 5_000, () => one.start());
  };
  // LevelDB was seen to lack records when it opens after damage, not while it runs.
  times('drops', 2, () => offWith(() => drop(all, one)));
  times('wiped', 1, () =>
    offWith(() => {
      trace.note(`${one.name} has a new disk`);
      truth.lost(disk.image, new Image());
      disk.image = new Image();
    }),
  );
  times('rolledBack', 2, () => {
    const then = disk.image.clone();
    at(world.next() * 20_000, () =>
      offWith(() => {
        trace.note(`${one.name} has its disk rolled back`);
        truth.lost(disk.image, then);
        disk.image = then.clone();
      }),
    );
  });
}

/** A byte of some value is another. */
function flip({ world, truth, trace }: World, { disk, name }: SimMachine): void {
  const { image } = disk;
  const at = world.integer(image.keys.length);
  const key = image.keys[at];
  const before = image.values[at];
  if (key === undefined || before === undefined || before.length === 0) return;
  const value = before.slice();
  const byte = world.integer(value.length);
  value[byte] = value[byte]! ^ (1 << world.integer(8));
  trace.note(`${name} disk: byte ${byte} of ${JSON.stringify(key.slice(0, 1))} is another`);
  // Of a gap that can't be read nobody knows what it named; of a row that can't, how far its epoch had come.
  if (key.startsWith('d')) truth.excuse(key, before, true);
  if (key.startsWith('s')) excuseEpoch({ truth }, image, key);
  image.put(key, value);
}

/** Records are not there any more. */
function drop({ world, truth, trace }: World, { disk, name }: SimMachine): void {
  const { image } = disk;
  const keys = image.keysWith('d');
  for (let i = 1 + world.integer(3); i > 0 && keys.length > 0; i--) {
    const key = keys.splice(world.integer(keys.length), 1)[0]!;
    trace.note(`${name} disk: lacks ${Buffer.from(key, 'latin1').toString('hex')}`);
    truth.excuse(key, image.get(key)!, true);
    image.delete(key);
  }
}

function excuseEpoch({ truth }: Pick<World, 'truth'>, image: Image, key: string): void {
  const row = decodeEpochRow(image.get(key)!);
  const epoch = row === null ? undefined : truth.epochs.get(row.epoch);
  if (row === null || epoch === undefined) return;
  const there = image.keysWith('d').flatMap((one) => {
    const stored = decodeStored(image.get(one)!);
    return stored?.epoch === row.epoch ? [parseRecordKey(bytesOf(one))!.seq] : [];
  });
  for (let seq = 1; seq <= row.highestSeq; seq++) {
    if (!there.includes(seq)) epoch.excused = unite(epoch.excused, [[seq, seq]]);
  }
}

export function goodAgain({ broker, central, machines }: World): void {
  Object.assign(broker.mood, goodBroker);
  Object.assign(central.mood, goodCentral);
  for (const { disk } of machines) {
    Object.assign(disk.mood, goodDisk);
    disk.countdown = Number.POSITIVE_INFINITY;
  }
  broker.start();
  central.start();
}
