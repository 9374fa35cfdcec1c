import { expect, test } from 'vitest';
import { silentLog } from '../../test/support/timers.ts';
import { committed, type Followers } from './committed.ts';

test('evidence that is new is in the audit: of which machine and incident, how much; what comes again is not', () => {
  const noted: object[] = [];
  const followers = {
    fleet: { onEnvelope: () => {} },
    audit: { add: async (entry: object) => void noted.push(entry) },
    nowMs: () => 0,
    log: silentLog,
  } as unknown as Followers;
  const content = { kind: 'evidence', incidentEpoch: 'e1', incidentSeq: 7, body: new Uint8Array(123) } as const;
  const about = { crc: 1, timeMs: 60_000, dated: true, record: new Uint8Array(1), content };
  const envelope = { agent: 'a1', held: [] } as unknown as Parameters<typeof committed>[1];
  // The second is not settled: it waits for its table.
  const records = [
    { ...about, seq: 4 },
    { ...about, seq: 5 },
  ];
  const result = { settled: [[4, 4]], stored: 1, duplicates: 0, conflicts: [], needTables: [] } as const;
  committed(followers, envelope, records, result);
  committed(followers, envelope, records, { ...result, stored: 0, duplicates: 1 });
  const detail = '123 bytes for incident e1/7, until 1970-01-01T00:01:00.000Z';
  expect(noted).toEqual([{ actor: 'agent a1', action: 'raw.evidence', target: 'a1', detail }]);
});
