/**
 * The central of the bench, a process of its own so that its memory is its own: the whole of it (broker, ingestion,
 * store, training, API), but for its time, which the parent tells.
 *
 *     parent ── { toMs } ──► goes on to that time ── { atMs, rssBytes } ──► parent
 */
import { readFileSync } from 'node:fs';
import { startCentral } from '../../../central/central.ts';
import { centralConfigSchema } from '../../../central/config.ts';
import { parseValue } from '../../../shared/config/schema.ts';
import { logTo } from './log.ts';
import { VirtualTime } from './virtual-time.ts';

export interface CentralStart {
  readonly startMs: number;
  readonly data: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export type CentralAsk = { readonly toMs: number } | { readonly stop: true };
export type CentralSays =
  | { readonly ready: { readonly url: string; readonly token: string } }
  | { readonly atMs: number; readonly rssBytes: number; readonly peakBytes: number }
  | { readonly failed: string };

const { startMs, data, config: wanted } = JSON.parse(process.argv[2]!) as CentralStart;
const say = (what: CentralSays): void => void process.send!(what);

const time = new VirtualTime(startMs);
const config = parseValue(centralConfigSchema, {
  http: { listen: '127.0.0.1:0' },
  mqtt: { listen: '127.0.0.1:0' },
  data,
  ...wanted,
});
if (!config.ok) throw new Error(JSON.stringify(config.problems));
const central = await startCentral({
  config: config.value,
  version: '0.0.0',
  log: logTo(2),
  time: { nowMs: () => time.nowMs, timers: time.timers },
});
let peakBytes = 0;
setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}, 20).unref();

// Without its parent it is of no use.
process.on('disconnect', () => process.exit(1));
process.on('message', (ask: CentralAsk) => {
  if ('stop' in ask) {
    void central.stop().then(() => process.exit());
    return;
  }
  time.advance(ask.toMs);
  const rssBytes = process.memoryUsage.rss();
  say({ atMs: time.nowMs, rssBytes, peakBytes: Math.max(peakBytes, rssBytes) });
  peakBytes = 0;
});
say({ ready: { url: central.url, token: readFileSync(`${data}/admin.token`, 'utf8').trim() } });
