/** The ledger at the command line: asked of the central that runs, or read from its database while none does. */
import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { codeOf, errorTable, PicketError } from '../../shared/errors.ts';
import { DAY_MS, ID_PATTERN } from '../../shared/limits.ts';
import type { CoverageDay, LedgerCheck, LedgerRow, LedgerTotals } from '../store/store.ts';
import { getFromCentral } from './api-client.ts';
import { type CentralCommand, type CentralContext, loadConfig, parseOptions } from './context.ts';

/** Days of coverage that are told. */
const COVERAGE_DAYS = 14;
/** Starts that are listed of one agent, the newest. */
const LISTED_ROWS = 40;

interface Source {
  agents(): Promise<readonly string[]>;
  ledger(agent: string): Promise<Account>;
  check(agent: string): Promise<LedgerCheck>;
  close(): Promise<void>;
}

interface Account {
  readonly rows: readonly LedgerRow[];
  readonly totals: LedgerTotals;
  readonly coverage: readonly CoverageDay[];
}

export const ledgerCommand: CentralCommand = {
  usage: 'ledger [AGENT] [--verify] [--json]',
  doc: 'Prints what became of every record that agents made, and which minutes are covered.',
  options: [
    '  AGENT             one agent, with its starts and days; else all, in short',
    '  --verify          counts all records again from what is stored, and compares; the exit code is 65 where it differs',
    '  --json            for programs',
    '  --data DIR        data directory of the central, where it is not the configuration’s; it need not run',
    '  --config FILE     its configuration',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(
      context.args,
      {
        verify: { type: 'boolean' },
        json: { type: 'boolean' },
        data: { type: 'string' },
        config: { type: 'string' },
      },
      1,
    );
    const one = positionals[0];
    if (one !== undefined && !ID_PATTERN.test(one)) {
      throw new PicketError('usage.invalid', `\`${one.slice(0, 64)}\` is not the id of an agent.`);
    }
    const { config } = await loadConfig(values, context);
    const source = await openSource(config.data, context);
    try {
      const known = await source.agents();
      if (one !== undefined && !known.includes(one)) {
        throw new PicketError('agent.unknown', `there is no agent ${one}; there are ${known.length} others.`);
      }
      const told = [];
      let differs = false;
      for (const agent of one === undefined ? known : [one]) {
        const account = await source.ledger(agent);
        const check = values.verify === true ? await source.check(agent) : null;
        differs ||= check !== null && check.problems.length > 0;
        const { rows, totals, coverage } = account;
        if (values.json !== true) context.stdout(inWords(agent, account, check, one !== undefined));
        told.push({ agent, totals, coverage, ...(one !== undefined && { rows }), ...(check !== null && { check }) });
      }
      if (values.json === true) context.stdout(`${JSON.stringify({ agents: told }, null, 2)}\n`);
      if (!differs) return 0;
      context.stderr('the ledger and what is stored differ; see the lines that say `differs`\n');
      return errorTable['frame.corrupt'].exit;
    } finally {
      await source.close();
    }
  },
};

/** The running central, or the database where none answers. */
async function openSource(dataDir: string, context: CentralContext): Promise<Source> {
  try {
    const { agents } = (await getFromCentral(dataDir, '/api/v1/agents')) as { agents: readonly { id: string }[] };
    const path = (agent: string): string => `/api/v1/agents/${agent}/ledger`;
    return {
      agents: async () => agents.map(({ id }) => id),
      ledger: async (agent) => (await getFromCentral(dataDir, path(agent))) as Account,
      check: async (agent) => (await getFromCentral(dataDir, `${path(agent)}/check`)) as LedgerCheck,
      close: async () => {},
    };
  } catch (error) {
    if (codeOf(error) !== 'central.unreachable') throw error;
    return openDatabase(dataDir, context, error);
  }
}

async function openDatabase(dataDir: string, { nowMs, stderr }: CentralContext, why: unknown): Promise<Source> {
  const directory = join(dataDir, 'store');
  const owner = await stat(directory).then(
    ({ uid }) => uid,
    () => null,
  );
  if (owner === null) throw why;
  const { uid } = userInfo();
  if (owner !== uid) {
    // LevelDB writes when it opens: files of another user would keep the central from starting.
    throw new PicketError(
      'usage.invalid',
      `${directory} belongs to user ${owner}: run this as that user, not as ${uid}.`,
    );
  }
  stderr('no central runs: reading its database\n');
  // Where the executable keeps the library of its database.
  process.env.PICKET_STATE ??= dataDir;
  const { openLevelStore } = await import('../store/level.ts');
  const store = await openLevelStore(directory);
  return {
    agents: async () => (await store.documents.list('agent')).map(({ key }) => key),
    ledger: async (agent) => ({
      rows: await store.ledger(agent),
      totals: await store.ledgerTotals(agent),
      coverage: await store.coverage(agent, { fromMs: nowMs() - COVERAGE_DAYS * DAY_MS, toMs: nowMs() }),
    }),
    check: (agent) => store.verifyLedger(agent),
    close: () => store.close(),
  };
}

function inWords(
  agent: string,
  { rows, totals, coverage }: Account,
  check: LedgerCheck | null,
  whole: boolean,
): string {
  const { made, committed, pending, quarantined, lost, duplicates, conflicts, epochs } = totals;
  const days = coverage.reduce(
    (sum, day) => ({
      covered: sum.covered + day.covered,
      pending: sum.pending + day.pending,
      missing: sum.missing + day.missing,
      missingByCause: added(sum.missingByCause, day.missingByCause),
    }),
    { covered: 0, pending: 0, missing: 0, missingByCause: {} as Record<string, number> },
  );
  const lines = [
    agent,
    `  records   ${made} made = ${committed} committed + ${pending} pending + ${quarantined} set aside + ${lost} lost${causes(totals.lostByCause)}`,
    `            ${duplicates} duplicates dropped, ${conflicts} contradictions set aside, ${epochs} starts`,
    `  minutes   ${days.covered} covered, ${days.pending} pending, ${days.missing} missing${causes(days.missingByCause)}, of the last ${COVERAGE_DAYS} days`,
  ];
  if (whole) lines.push(...daysInWords(coverage), ...startsInWords(rows, epochs));
  if (check !== null) {
    const found = `${check.records} records of ${check.epochs} starts were counted again`;
    const old = check.thinned === 0 ? '' : `, ${check.thinned} older ones are known by their ranges`;
    lines.push(`  verified  ${found}${old}: ${check.problems.length === 0 ? 'as the ledger says' : 'it differs'}`);
    for (const problem of check.problems) lines.push(`  differs   ${problem}`);
  }
  return `${lines.join('\n')}\n`;
}

function daysInWords(coverage: readonly CoverageDay[]): string[] {
  return coverage.map(({ dayMs, covered, pending, missing, missingByCause }) => {
    const day = new Date(dayMs).toISOString().slice(0, 10);
    return `  ${day}  ${pad(covered, 4)} covered  ${pad(pending, 4)} pending  ${pad(missing, 4)} missing${causes(missingByCause)}`;
  });
}

function startsInWords(rows: readonly LedgerRow[], epochs: number): string[] {
  const listed = rows.slice(-LISTED_ROWS);
  const lines = ['  start  epoch         made  committed  pending  set aside   lost  from                  to'];
  if (listed.length < epochs) lines.push(`  … ${epochs - listed.length} older starts`);
  for (const row of listed) {
    const from = row.firstMs > 0 ? instant(row.firstMs) : '';
    const to = row.lastMs > 0 ? instant(row.lastMs) : '';
    const notes = `${row.volatile ? ' in memory' : ''}${causes(row.lostByCause)}`;
    lines.push(
      `  ${pad(row.start, 5)}  ${row.epoch.slice(0, 8)}  ${pad(row.made, 8)}  ${pad(row.committed, 9)}  ${pad(row.pending, 7)}  ${pad(row.quarantined, 9)}  ${pad(row.lost, 5)}  ${from.padEnd(20)}  ${to.padEnd(20)}${notes}`,
    );
  }
  return lines;
}

function added(a: Record<string, number>, b: Readonly<Record<string, number>>): Record<string, number> {
  const out = { ...a };
  for (const [cause, count] of Object.entries(b)) out[cause] = (out[cause] ?? 0) + count;
  return out;
}

function causes(byCause: Readonly<Record<string, number>>): string {
  const named = Object.entries(byCause).sort(([, a], [, b]) => b - a);
  if (named.length === 0) return '';
  return ` (${named.map(([cause, count]) => `${cause.replaceAll('_', ' ')} ${count}`).join(', ')})`;
}

function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function pad(value: number, width: number): string {
  return String(value).padStart(width);
}
