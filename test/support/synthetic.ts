/** History of a machine that a test tells by a scripted agent: tables and summaries as a real one sends them. */

import { MINUTE_MS } from '../../shared/limits.ts';
import type { SeriesKey } from '../../shared/series.ts';
import { tableHash } from '../../shared/trust/hash.ts';
import { encodeSummary, encodeTable } from '../../shared/wire/codec.ts';
import { encodeColumns } from '../../shared/wire/columns.ts';
import { emptyColumns } from '../../shared/wire/summary.ts';
import { type ScriptedAgent, scriptedMonotonicMs } from './scripted-agent.ts';

const SAMPLES = 60;
/** Bytes of frames in one envelope, before compression. */
const ENVELOPE_BYTES = 48 * 1024;

/**
 * Windows of a minute of these series, the last of which ended at the last full minute, or so many before it.
 * @param mean of series i in the window that ends at `endMs`
 */
export async function tellHistory(
  agent: ScriptedAgent,
  series: readonly SeriesKey[],
  windows: number,
  mean: (i: number, endMs: number) => number,
  windowsAgo = 0,
): Promise<{ readonly fromMs: number; readonly toMs: number }> {
  const body = encodeTable(series);
  const table = tableHash(body);
  const frames = [agent.frame(agent.record('table', body))];
  const toMs = (Math.floor(Date.now() / MINUTE_MS) - windowsAgo) * MINUTE_MS;
  for (let window = 1; window <= windows; window++) {
    const endMs = toMs - (windows - window) * MINUTE_MS;
    const columns = emptyColumns(series.length);
    for (let i = 0; i < series.length; i++) {
      const value = mean(i, endMs);
      columns.count[i] = SAMPLES;
      columns.mean[i] = value;
      columns.deviation[i] = 0.1;
      columns.min[i] = value - 0.3;
      columns.max[i] = value + 0.3;
      columns.last[i] = value;
      columns.anomalyShare[i] = 0;
      columns.highestScore[i] = 1;
    }
    const summary = encodeSummary({
      table,
      lengthMs: MINUTE_MS,
      nominalMs: MINUTE_MS,
      endMonotonicMs: scriptedMonotonicMs() - (Date.now() - endMs),
      endWallMs: endMs,
      first: 0,
      columns: encodeColumns(columns),
    });
    frames.push(agent.frame(agent.record('summary', summary, endMs)));
  }
  let batch: Uint8Array[] = [];
  let sizeBytes = 0;
  let told = agent.highestSeq - frames.length;
  // One after the other, as an agent does it: a central lets only so many wait.
  const flush = async (): Promise<void> => {
    await agent.send(batch);
    told += batch.length;
    await agent.settled(told);
    batch = [];
    sizeBytes = 0;
  };
  for (const frame of frames) {
    if (sizeBytes + frame.length > ENVELOPE_BYTES) await flush();
    batch.push(frame);
    sizeBytes += frame.length;
  }
  await flush();
  return { fromMs: toMs - windows * MINUTE_MS, toMs };
}
