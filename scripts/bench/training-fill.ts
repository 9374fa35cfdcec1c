/**
 * A fleet's history for the bench of training: 30 days of hourly rollups of 300 series a machine, as they lie in the
 * store when their minutes are gone, and the newest minute of each. Seeded. `node training-fill.ts DIRECTORY MACHINES`.
 */
import { encodeRolled } from '../../central/store/chunks.ts';
import { Database, type Operation } from '../../central/store/database.ts';
import { agentKey, keyOf } from '../../central/store/keys.ts';
import { openLevelStore } from '../../central/store/level.ts';
import type { Row } from '../../central/store/rows.ts';
import { encodeCovered } from '../../central/store/values.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { seeded } from '../../shared/math/random.ts';
import { identifySeries, tableHash } from '../../shared/trust/hash.ts';
import { encodeTable } from '../../shared/wire/codec.ts';
import { encodeColumns } from '../../shared/wire/columns.ts';
import { machineMinute, minuteOf } from './machine-minute.ts';

export const SERIES = 300;
const DAYS = 30;
/** The hours end here; a full day. */
export const END_MS = Date.UTC(2026, 0, 31);
/** Courses that machines have in common, each beginning elsewhere. */
const COURSES = 600;
/** Of one write. */
const BATCH = 3000;
/** Machines that tell their minutes meanwhile: others, as theirs go on in another way than the courses here. */
export const TELLING = 1000;

const names = Array.from({ length: SERIES }, (_, i) => {
  return { name: `bench.series.${i % 20}`, unit: '1', attributes: { of: String(i) } };
});
const series = identifySeries(names);
export const TABLE = tableHash(encodeTable(names));
export const BOOT = 'b'.repeat(32);

export function machineOf(number: number): string {
  return `machine-${number}`;
}

export function tellingOf(number: number): string {
  return `telling-${number}`;
}

export function epochOf(number: number): string {
  return number.toString(16).padStart(32, '0');
}

/** A day of hours each: two in five constant, the rest day and night with noise, rates with bursts, levels that wander. */
function course(number: number, random: () => number): Uint8Array[] {
  const normal = (): number => random() + random() + random() + random() - 2;
  const size = 10 ** (random() * 4);
  const phase = random() * 24;
  let level = size;
  const days: Uint8Array[] = [];
  for (let day = DAYS; day > 0; day--) {
    const rows: Row[] = [];
    for (let hour = 0; hour < 24; hour++) {
      const season = Math.sin((2 * Math.PI * (hour + phase)) / 24);
      level += normal() * size * 0.01;
      const kind = number % 5;
      const mean = [
        size,
        size,
        size * (2 + season + 0.2 * normal()),
        Math.max(0, size * (1 + 0.5 * season + (random() < 0.05 ? 3 : 0) + 0.3 * normal())),
        level,
      ][kind]!;
      const deviation = kind < 2 ? 0 : size * (0.1 + 0.05 * random());
      rows.push({
        timeMs: END_MS - day * DAY_MS + (hour + 1) * HOUR_MS,
        lengthMs: HOUR_MS,
        count: 3600,
        mean,
        deviation,
        min: Math.fround(mean - 3 * deviation),
        max: Math.fround(mean + 3.5 * deviation),
        last: Math.fround(mean + deviation * normal()),
        anomalyShare: 0,
        highestScore: kind < 2 ? 0 : Math.fround(4 + 4 * random()),
        bad: 0,
      });
    }
    days.push(encodeRolled(rows));
  }
  return days;
}

async function fill(directory: string, machines: number): Promise<void> {
  const random = seeded(42);
  const courses = Array.from({ length: COURSES }, (_, i) => course(i, random));
  const database = await Database.open(directory);
  const whole = encodeCovered({ low: 2 ** 30 - 1, high: 2 ** 30 - 1 });
  const firstDay = Math.round(END_MS / DAY_MS) - DAYS;
  let operations: Operation[] = [];
  const put = async (key: Buffer, value: Uint8Array): Promise<void> => {
    operations.push({ type: 'put', key, value });
    if (operations.length < BATCH) return;
    await database.write(operations, false);
    operations = [];
  };
  for (let machine = 1; machine <= machines; machine++) {
    await put(agentKey(machineOf(machine)), Buffer.from(JSON.stringify({ number: machine })));
    for (const [number, { id, name, unit, attributes }] of series.entries()) {
      await put(keyOf('series', machine, number), Buffer.from(JSON.stringify({ id, name, unit, attributes })));
      const days = courses[(machine * 37 + number) % COURSES]!;
      for (const [day, value] of days.entries()) await put(keyOf('hour', machine, number, firstDay + day), value);
    }
    for (let hour = firstDay * 24; hour < (firstDay + DAYS) * 24; hour++) {
      await put(keyOf('coverage', machine, hour), whole);
    }
  }
  await database.write(operations, true);
  await database.close();
  const store = await openLevelStore(directory);
  const columns = encodeColumns(minuteOf(machineMinute(SERIES, 1), true));
  const about = { dated: true, record: new Uint8Array(8), timeMs: END_MS + MINUTE_MS };
  const agents = Array.from({ length: machines }, (_, i) => machineOf(i + 1));
  agents.push(...Array.from({ length: TELLING }, (_, i) => tellingOf(i + 1)));
  for (const [i, agent] of agents.entries()) {
    const number = i < machines ? i + 1 : i - machines + 1;
    await store.commit({
      agent,
      epoch: epochOf(number),
      bootId: BOOT,
      receivedMs: END_MS + MINUTE_MS,
      highestSeq: 2,
      held: [[1, 2]],
      records: [
        { ...about, seq: 1, crc: 1, content: { kind: 'table', hash: TABLE, series } },
        {
          ...{ ...about, seq: 2, crc: 2 },
          content: { kind: 'summary', table: TABLE, lengthMs: MINUTE_MS, nominalMs: MINUTE_MS, first: 0, columns },
        },
      ],
      sizeBytes: columns.length,
    });
  }
  await store.compact();
  await store.close();
}

if (import.meta.main) await fill(process.argv[2]!, Number(process.argv[3]));
