/** The starts of an agent, each with what became of its records; told apart where two machines share an identity. */
import { useEffect, useState } from 'preact/hooks';
import type { AgentFlag, AgentState } from '../../api.ts';
import type { LedgerRow } from '../../store/store.ts';
import { get } from '../api.ts';
import { Moment } from '../components/parts.tsx';
import { formatCount } from '../format.ts';
import { nameOfCause } from './coverage.tsx';

/** Starts of one page; a crash loop makes thousands. */
export const EPOCHS_PER_PAGE = 30;

interface Props {
  readonly agent: AgentState;
  /** The newest ones. */
  readonly rows: readonly LedgerRow[];
  /** How many there are in all. */
  readonly count: number;
}

export function Epochs({ agent, rows, count }: Props) {
  const [older, setOlder] = useState<readonly LedgerRow[]>([]);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    setOlder([]);
  }, [agent.id, count]);
  const known = new Set(rows.map(({ epoch }) => epoch));
  const shown = [...older.filter(({ epoch }) => !known.has(epoch)), ...rows].reverse();
  const branches = branchesOf(shown, agent.flags);
  const more = async (): Promise<void> => {
    try {
      const path = `/agents/${agent.id}/ledger?limit=${EPOCHS_PER_PAGE}&offset=${shown.length}`;
      const answer = await get<{ rows: readonly LedgerRow[] }>(path);
      setOlder((before) => [...answer.rows, ...before]);
      setFailed(false);
    } catch {
      setFailed(true);
    }
  };
  return (
    <section data-role="epochs">
      <h2>By start of the agent</h2>
      <div class="scroll-x">
        <table class="plain">
          <thead>
            <tr>
              <th>Start</th>
              <th>Boot</th>
              <th>From</th>
              <th>To</th>
              <th class="numeric">Made</th>
              <th class="numeric">Committed</th>
              <th class="numeric">Pending</th>
              <th class="numeric">Set aside</th>
              <th class="numeric">Lost</th>
              <th class="numeric">Duplicates</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <Row key={row.epoch} row={row} branch={branches.get(row.epoch) ?? null} />
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < count && (
        <p>
          <button type="button" onClick={() => void more()}>
            Older starts
          </button>{' '}
          <span class="faint">
            {formatCount(shown.length)} of {formatCount(count)} shown
          </span>
          {failed && <span class="trouble"> They could not be loaded.</span>}
        </p>
      )}
    </section>
  );
}

function Row({ row, branch }: { readonly row: LedgerRow; readonly branch: number | null }) {
  const lost = Object.entries(row.lostByCause).map(([cause, count]) => `${nameOfCause(cause)} ${formatCount(count)}`);
  return (
    <tr>
      <td title={row.epoch}>
        #{row.start} <code>{row.epoch.slice(0, 8)}</code>
        {row.volatile && <span class="tag">in memory</span>}
        {branch !== null && <span class={`tag branch branch-${branch}`}>machine {branch}</span>}
      </td>
      <td title={row.boot ?? undefined}>{row.boot !== null && <code>{row.boot.slice(0, 4)}</code>}</td>
      <td>{row.firstMs > 0 && <Moment ms={row.firstMs} />}</td>
      <td>{row.lastMs > 0 && <Moment ms={row.lastMs} />}</td>
      <td class="numeric">{formatCount(row.made)}</td>
      <td class="numeric">{formatCount(row.committed)}</td>
      <td class="numeric">{formatCount(row.pending)}</td>
      <td class="numeric">{formatCount(row.quarantined)}</td>
      <td class="numeric" title={lost.join(', ') || undefined}>
        {formatCount(row.lost)}
      </td>
      <td class="numeric">{formatCount(row.duplicates)}</td>
    </tr>
  );
}

/** Which of the machines that share an identity made a start: the branch of the epoch that it came from. */
function branchesOf(rows: readonly LedgerRow[], flags: readonly AgentFlag[]): ReadonlyMap<string, number> {
  const branches = new Map<string, number>();
  const clone = flags.find(({ kind }) => kind === 'clone');
  clone?.epochs.forEach(({ epoch }, i) => {
    branches.set(epoch, i + 1);
  });
  if (branches.size === 0) return branches;
  // From the oldest on, so that a parent is known before its child.
  for (const { epoch, parent } of [...rows].reverse()) {
    const from = parent === null ? undefined : branches.get(parent);
    if (from !== undefined && !branches.has(epoch)) branches.set(epoch, from);
  }
  return branches;
}
