/** The ledger: where each record that the machine made is, and which minutes of each day are covered. */
import type { AgentState } from '../../api.ts';
import type { CoverageDay, LedgerRow } from '../../store/store.ts';
import { get } from '../api.ts';
import { Failure, Moment, Skeleton } from '../components/parts.tsx';
import type { Fleet } from '../fleet.ts';
import { formatCount, formatShare } from '../format.ts';
import { useResource } from '../resource.ts';
import { formatDay } from '../time.ts';
import { useReloadOn } from './reload.ts';

type Totals = Pick<LedgerRow, 'made' | 'committed' | 'quarantined' | 'pending' | 'lost' | 'lostByCause' | 'duplicates'>;
interface Answer {
  readonly rows: readonly LedgerRow[];
  readonly totals: Totals;
  readonly coverage: readonly CoverageDay[];
}

const parts = [
  ['committed', 'Committed', 'stored for certain'],
  ['pending', 'Pending', 'still held by the machine'],
  ['quarantined', 'Quarantined', 'came broken; its bytes are kept'],
  ['lost', 'Lost', 'neither held nor stored'],
] as const;

export function LedgerPanel({ agent, fleet }: { readonly agent: AgentState; readonly fleet: Fleet }) {
  const ledger = useResource(`ledger ${agent.id}`, (signal) => get<Answer>(`/agents/${agent.id}/ledger`, signal));
  useReloadOn(fleet, agent.id, 'summary', ledger.reload);
  if (ledger.data === undefined) {
    if (ledger.error !== undefined) return <Failure error={ledger.error} onRetry={ledger.reload} />;
    return <Skeleton lines={6} label="Loading the ledger" />;
  }
  const { rows, totals, coverage } = ledger.data;
  const sum = totals.committed + totals.pending + totals.quarantined + totals.lost;
  return (
    <div class="panel ledger">
      <section class="card">
        <h2>{formatCount(totals.made)} records made</h2>
        <div class="ledger-bar" aria-hidden="true">
          {parts.map(([name]) => (
            <i key={name} class={name} style={{ flexGrow: totals[name] }} />
          ))}
        </div>
        <dl class="facts">
          {parts.map(([name, label, what]) => (
            <div key={name} class={name}>
              <dt title={what}>
                <i class={`dot ${name}`} aria-hidden="true" />
                {label}
              </dt>
              <dd data-role={name}>{formatCount(totals[name])}</dd>
            </div>
          ))}
          <div>
            <dt title="sent again before the acknowledgement came; stored once">Duplicates</dt>
            <dd>{formatCount(totals.duplicates)}</dd>
          </div>
        </dl>
        <p class={sum === totals.made ? 'adds-up' : 'trouble'} data-role="sum">
          {sum === totals.made
            ? `It adds up: ${parts.map(([name]) => formatCount(totals[name])).join(' + ')} = ${formatCount(totals.made)}.`
            : `It does not add up: ${formatCount(sum)} are known of ${formatCount(totals.made)}.`}
        </p>
        {totals.lost > 0 && (
          <p>
            Lost by cause:{' '}
            {Object.entries(totals.lostByCause)
              .map(([cause, count]) => `${cause.replaceAll('_', ' ')} ${formatCount(count)}`)
              .join(', ')}
          </p>
        )}
      </section>
      <Coverage days={coverage} />
      <Epochs rows={rows} />
    </div>
  );
}

function Coverage({ days }: { readonly days: readonly CoverageDay[] }) {
  const sorted = [...days].sort((a, b) => b.dayMs - a.dayMs);
  return (
    <section>
      <h2>Minutes covered</h2>
      {sorted.length === 0 && <p class="faint">No minute has come yet.</p>}
      <ul class="coverage">
        {sorted.map(({ dayMs, covered, pending, missing }) => {
          const all = Math.max(1, covered + pending + missing);
          return (
            <li key={dayMs}>
              <span class="day">{formatDay(dayMs, 'UTC')}</span>
              <span class="ledger-bar" aria-hidden="true">
                <i class="committed" style={{ flexGrow: covered }} />
                <i class="pending" style={{ flexGrow: pending }} />
                <i class="lost" style={{ flexGrow: missing }} />
              </span>
              <span class="number">{formatShare(covered / all)}</span>
              <span class="faint">
                {formatCount(covered)} covered
                {pending > 0 && `, ${formatCount(pending)} pending`}
                {missing > 0 && `, ${formatCount(missing)} missing`}
              </span>
            </li>
          );
        })}
      </ul>
      <p class="hint">Days are UTC.</p>
    </section>
  );
}

function Epochs({ rows }: { readonly rows: readonly LedgerRow[] }) {
  const sorted = [...rows].sort((a, b) => b.start - a.start || b.lastMs - a.lastMs);
  return (
    <section>
      <h2>By start of the agent</h2>
      <div class="scroll-x">
        <table class="plain">
          <thead>
            <tr>
              <th>Epoch</th>
              <th>From</th>
              <th>To</th>
              <th class="numeric">Made</th>
              <th class="numeric">Committed</th>
              <th class="numeric">Pending</th>
              <th class="numeric">Quarantined</th>
              <th class="numeric">Lost</th>
              <th class="numeric">Duplicates</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <tr key={row.epoch}>
                <td title={row.epoch}>
                  #{row.start} <code>{row.epoch.slice(0, 8)}</code>
                  {row.volatile && <span class="tag">in memory</span>}
                </td>
                <td>{row.firstMs > 0 && <Moment ms={row.firstMs} />}</td>
                <td>{row.lastMs > 0 && <Moment ms={row.lastMs} />}</td>
                <td class="numeric">{formatCount(row.made)}</td>
                <td class="numeric">{formatCount(row.committed)}</td>
                <td class="numeric">{formatCount(row.pending)}</td>
                <td class="numeric">{formatCount(row.quarantined)}</td>
                <td class="numeric">{formatCount(row.lost)}</td>
                <td class="numeric">{formatCount(row.duplicates)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
