/** `--csv`: the engine on a file of the user's; what it thought of every row, and what it would have told. */
import { writeFileSync } from 'node:fs';
import { describe, Engine, firstInterval } from '../engine.ts';
import { csvField, readCsv } from '../formats/csv.ts';
import { UsageError } from '../formats/files.ts';

export interface OwnFileOptions {
  readonly path: string;
  readonly column: string;
  readonly time?: string | undefined;
  /** Where to; null: to standard output. */
  readonly out: string | null;
  readonly budget: number;
}

export function runOwnFile({ path, column, time, out, budget }: OwnFileOptions): void {
  const { stamps, timesMs, values } = readCsv(path, column, time);
  let told: string[] = [];
  const engine = new Engine({
    columns: [column],
    intervalMs: firstInterval(timesMs),
    findingsPerDay: budget,
    onFinding: (finding) => told.push(describe(finding)),
  });
  const lines = ['time,value,bits,expected_low,expected_high,findings'];
  let findings = 0;
  for (let row = 0; row < values.length; row++) {
    told = [];
    engine.feed(timesMs[row]!, values, row);
    findings += told.length;
    const numbers = [values[row]!, engine.machineBits, engine.expectedLow, engine.expectedHigh];
    lines.push([stamps[row]!, ...numbers.map(shown), told.join('; ')].map(csvField).join(','));
  }
  write(out, `${lines.join('\n')}\n`);
  if (out !== null) console.log(`${out}: ${values.length} rows, ${findings} findings told`);
}

function write(out: string | null, text: string): void {
  if (out === null) {
    // Whoever reads may have seen enough: the pipe is closed then, and that is no fault.
    process.stdout.on('error', () => undefined);
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(out, text);
  } catch (error) {
    throw new UsageError(`${out} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function shown(value: number): string {
  return Number.isNaN(value) ? '' : String(Number(value.toPrecision(9)));
}
