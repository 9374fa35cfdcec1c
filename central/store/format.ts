/** The layout of the database, as `meta/format` names it. */
import { PicketError } from '../../shared/errors.ts';
import type { Database } from './database.ts';
import { formatKey } from './keys.ts';

export const FORMAT = 2;

/** Throws `store.newer_format`. */
export async function checkFormat(database: Database): Promise<void> {
  const stored = await database.get(formatKey);
  if (stored === undefined) {
    await database.write([{ type: 'put', key: formatKey, value: Buffer.from(String(FORMAT)) }], true);
    return;
  }
  const format = Number(stored.toString());
  if (format === FORMAT) return;
  if (format === 1) {
    // What format 1 wrote is read as it is (ledger-row.ts, values.ts), and each row becomes one of format 2 when it is
    // written next: nothing is rewritten here, so that there is nothing to copy first.
    await database.write([{ type: 'put', key: formatKey, value: Buffer.from(String(FORMAT)) }], true);
    return;
  }
  throw new PicketError(
    'store.newer_format',
    `the store in ${database.directory} has format ${stored.toString().slice(0, 20)}; this version knows ${FORMAT}`,
  );
}
