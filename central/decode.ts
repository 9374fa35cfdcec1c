/**
 * From a frame to what the store takes: checked, dated, its body decoded where the kind is known. A body that does not
 * decode is poison: kept with its bytes and the reason, and settled, so that it is never retried for ever.
 */
import { messageOf, PicketError } from '../shared/errors.ts';
import { readIncident } from '../shared/incident-json.ts';
import { limits } from '../shared/limits.ts';
import { identifySeries, seriesId, tableHash } from '../shared/trust/hash.ts';
import { parseJson } from '../shared/trust/strict.ts';
import {
  decodeEpochStart,
  decodeEvents,
  decodeEvidence,
  decodeGap,
  decodeSummary,
  decodeTable,
} from '../shared/wire/bodies.ts';
import { decodeCoMoments } from '../shared/wire/co-moments.ts';
import { decodeColumns } from '../shared/wire/columns.ts';
import { readFrame } from '../shared/wire/frame.ts';
import { decodeRecord, type EdgeRecord } from '../shared/wire/record.ts';
import type { BootOffsets, Dated } from './dating.ts';
import { isSeq, isTime } from './store/decide.ts';
import type { IncomingRecord, RecordContent } from './store/store.ts';
import { movedIncident, snapped } from './store/times.ts';

/** An incident of which the times are off by less keeps them as the agent said them. */
const SNAP_MS = 2_000;

/** Throws `frame.corrupt`; anything worse inside becomes poison. */
export function decodeIncoming(
  agent: string,
  epoch: string,
  frame: Uint8Array,
  offsets: BootOffsets,
  receivedMs: number,
): IncomingRecord {
  const { seq, crc, record: bytes } = readFrame(epoch, frame);
  if (!isSeq(seq)) throw new PicketError('frame.corrupt', `frame: ${seq} is over every possible seq`);
  let record: EdgeRecord;
  try {
    record = decodeRecord(bytes);
  } catch (error) {
    const content: RecordContent = { kind: 'poison', reason: messageOf(error) };
    return { seq, crc, timeMs: 0, dated: false, record: bytes, content };
  }
  offsets.noted(agent, record, receivedMs);
  let { monotonicMs } = record;
  let dated: Dated | null = null;
  let content: RecordContent;
  try {
    const decoded = decodeContent(agent, epoch, seq, record, offsets);
    content = decoded.content;
    dated = decoded.dated ?? null;
    monotonicMs = decoded.monotonicMs ?? monotonicMs;
  } catch (error) {
    content = { kind: 'poison', reason: messageOf(error) };
  }
  dated ??= offsets.date(agent, record);
  if (!isTime(dated.timeMs)) {
    // What cannot be filed must not keep the others of its envelope out of the store.
    content = { kind: 'poison', reason: `Record.wallMs: ${dated.timeMs} is no time of this world` };
    dated = { timeMs: 0, dated: false };
  }
  return { seq, crc, ...dated, boot: record.bootId, monotonicMs, record: bytes, content };
}

interface Decoded {
  readonly content: RecordContent;
  /** Where the record's time is not that of its making. */
  readonly dated?: Dated;
  readonly monotonicMs?: number;
}

function decodeContent(agent: string, epoch: string, seq: number, record: EdgeRecord, offsets: BootOffsets): Decoded {
  const { kind, body } = record;
  switch (kind) {
    case 'table':
      return { content: { kind, hash: tableHash(body), series: identifySeries(decodeTable(body)) } };
    case 'summary':
    case 'rollup': {
      const summary = decodeSummary(body);
      decodeColumns(summary.columns, limits.seriesPerTable);
      // An agent that knew its wall clock to be wrong knew the central's time, and ended its windows by that; one that
      // ended by the same wrong clock was made, or held, from before it knew.
      const byWallMs = summary.endWallMs - summary.endMonotonicMs - (record.wallMs - record.monotonicMs);
      if (record.wallTrusted === 'no' && Math.abs(byWallMs) > SNAP_MS) {
        offsets.trusted(agent, record.bootId, summary.endMonotonicMs, summary.endWallMs);
      }
      const end = offsets.date(agent, record, summary.endMonotonicMs, summary.endWallMs);
      const { table, lengthMs, nominalMs, first, columns } = summary;
      return {
        content: { kind, table, lengthMs, nominalMs, first, columns },
        dated: { timeMs: end.dated ? snapped(end.timeMs) : end.timeMs, dated: end.dated },
        monotonicMs: summary.endMonotonicMs,
      };
    }
    case 'co_moments': {
      const { lengthMs, endMonotonicMs, endWallMs } = decodeCoMoments(body);
      const dated = offsets.date(agent, record, endMonotonicMs, endWallMs);
      return { content: { kind: 'coMoments', lengthMs, body }, dated, monotonicMs: endMonotonicMs };
    }
    case 'event':
      return {
        content: {
          kind: 'events',
          events: decodeEvents(body).map(({ key, monotonicMs, wallMs, from, to }) => {
            const { timeMs, dated } = offsets.date(agent, record, monotonicMs, wallMs);
            return {
              series: seriesId(key),
              key,
              atMs: timeMs,
              from,
              to,
              ...(dated ? {} : { uncertain: true as const }),
            };
          }),
        },
      };
    case 'incident': {
      const incident = readIncident(parseJson(body, limits.recordBytes, 'incident'), epoch, seq);
      const { timeMs, dated } = offsets.date(agent, record);
      // It was last changed when this record was made: the difference is how far the agent's idea of UTC was off.
      const offMs = timeMs - incident.updatedMs;
      const moved = Math.abs(offMs) > SNAP_MS || !dated ? movedIncident(incident, offMs, dated) : incident;
      return { content: { kind, incident: moved } };
    }
    case 'gap': {
      const gap = decodeGap(body);
      const { ranges, cause } = gap;
      return { content: { kind, epoch: gap.epoch, ranges, cause, fromMs: gap.fromWallMs, toMs: gap.toWallMs } };
    }
    case 'epoch': {
      const start = decodeEpochStart(body);
      offsets.started(agent, record.bootId, epoch, start);
      return { content: { kind, ...start } };
    }
    case 'inventory':
    case 'top':
    case 'applied':
      return { content: { kind: 'document', name: kind, json: parseJson(body, limits.recordBytes, kind) } };
    case 'evidence': {
      const { incidentEpoch, incidentSeq } = decodeEvidence(body);
      // An incident that opened with the record before it says epoch and seq; both are then known to the agent.
      return { content: { kind, incidentEpoch, incidentSeq, body } };
    }
    default:
      return { content: { kind: 'unknown', number: typeof kind === 'number' ? kind : -1 } };
  }
}
