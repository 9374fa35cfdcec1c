/** The ledger: where each record that the machine made is, and which minutes of each day are covered. */
import { useState } from 'preact/hooks';
import type { AgentState } from '../../api.ts';
import type { CoverageDay, LedgerCheck, LedgerRow, LedgerTotals } from '../../store/store.ts';
import { get, wordsOf } from '../api.ts';
import { Failure, Skeleton } from '../components/parts.tsx';
import type { Fleet } from '../fleet.ts';
import { counted, formatCount } from '../format.ts';
import { useResource } from '../resource.ts';
import { Coverage, nameOfCause } from './coverage.tsx';
import { EPOCHS_PER_PAGE, Epochs } from './epochs.tsx';
import { Quarantine } from './quarantine.tsx';
import { useReloadOn } from './reload.ts';

interface Answer {
  readonly rows: readonly LedgerRow[];
  readonly totals: LedgerTotals;
  readonly coverage: readonly CoverageDay[];
}

const parts = [
  ['committed', 'Committed', 'stored for certain'],
  ['pending', 'Pending', 'still held by the machine'],
  ['quarantined', 'Set aside', 'came broken, was answered; its bytes are kept for a while'],
  ['lost', 'Lost', 'neither held nor stored'],
] as const;

export function LedgerPanel({ agent, fleet }: { readonly agent: AgentState; readonly fleet: Fleet }) {
  const ledger = useResource(`ledger ${agent.id}`, (signal) =>
    get<Answer>(`/agents/${agent.id}/ledger?limit=${EPOCHS_PER_PAGE}`, signal),
  );
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
          {totals.conflicts > 0 && (
            <div>
              <dt title="came under the number of another record; the first one was kept">Contradictions</dt>
              <dd>{formatCount(totals.conflicts)}</dd>
            </div>
          )}
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
              .map(([cause, count]) => `${nameOfCause(cause)} ${formatCount(count)}`)
              .join(', ')}
          </p>
        )}
        <Check agent={agent.id} />
      </section>
      <Coverage days={coverage} />
      {totals.quarantined + totals.conflicts > 0 && (
        <Quarantine agent={agent.id} count={totals.quarantined + totals.conflicts} />
      )}
      <Epochs agent={agent} rows={rows} count={totals.epochs} />
    </div>
  );
}

/** Counts again from what is stored, when somebody wants to know. */
function Check({ agent }: { readonly agent: string }) {
  const [state, setState] = useState<LedgerCheck | 'counting' | { readonly failed: unknown } | null>(null);
  const count = async (): Promise<void> => {
    setState('counting');
    try {
      setState(await get<LedgerCheck>(`/agents/${agent}/ledger/check`));
    } catch (failed) {
      setState({ failed });
    }
  };
  return (
    <div class="actions" data-role="check">
      <button type="button" disabled={state === 'counting'} onClick={() => void count()}>
        {state === 'counting' ? 'Counting…' : 'Count again'}
      </button>
      <span role="status">{state !== null && state !== 'counting' && <Outcome state={state} />}</span>
    </div>
  );
}

function Outcome({ state }: { readonly state: LedgerCheck | { readonly failed: unknown } }) {
  if ('failed' in state) return <span class="trouble">{wordsOf(state.failed)}</span>;
  const { records, thinned, problems } = state;
  const older = thinned === 0 ? '' : `, ${formatCount(thinned)} older ones are known by their ranges`;
  if (problems.length === 0) {
    return (
      <span class="adds-up">
        {counted(records, 'stored record')} counted again{older}: as the ledger says.
      </span>
    );
  }
  return (
    <div class="trouble">
      {counted(problems.length, 'difference')} between the ledger and what is stored:
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </div>
  );
}
