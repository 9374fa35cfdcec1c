/** Who is told of troubles and how that goes, which machines are overdue, and what was said lately. */
import { useEffect } from 'preact/hooks';
import type { AlertsView, Contact } from '../../alerts/api.ts';
import { get } from '../api.ts';
import { useCell } from '../cell.ts';
import { Failure, Moment, Skeleton } from '../components/parts.tsx';
import { useNow } from '../components/ticking.ts';
import { useResource } from '../resource.ts';
import { place } from '../router.ts';
import { AlertContacts } from './alert-contacts.tsx';
import { MaintenanceCard } from './alert-maintenance.tsx';
import { AlertTargets, HeartbeatLine } from './alert-targets.tsx';

const RELOAD_MS = 10_000;
const NOW_MS = 5_000;

type Told = Pick<AlertsView, 'targets' | 'heartbeat' | 'problem' | 'log'>;

export function AlertsPage() {
  const { query } = useCell(place);
  const all = query.get('machines') === 'all';
  const told = useResource<Told>('alerts', (signal) => get('/alerts', signal));
  const contacts = useResource<{ contacts: readonly Contact[] }>(`contacts ${all}`, (signal) =>
    get(`/alerts/contacts?overdue=${!all}`, signal),
  );
  const now = useNow(NOW_MS);
  useEffect(() => {
    document.title = 'Alerts · Picket';
    const timer = setInterval(() => {
      told.reload();
      contacts.reload();
    }, RELOAD_MS);
    return () => clearInterval(timer);
  }, [told.reload, contacts.reload]);
  if (told.data === undefined) {
    if (told.error !== undefined) return <Failure error={told.error} onRetry={told.reload} />;
    return <Skeleton lines={8} label="Loading who is told" />;
  }
  const { targets, heartbeat, problem, log } = told.data;
  return (
    <div class="alerts">
      <h1>Alerts</h1>
      {told.error !== undefined && <Failure error={told.error} onRetry={told.reload} />}
      {problem !== null && (
        <div class="notice warning" role="alert">
          The central does not do its work: {problem}.
        </div>
      )}
      <AlertTargets targets={targets} now={now} onTested={told.reload} />
      <HeartbeatLine heartbeat={heartbeat} now={now} />
      <AlertContacts
        contacts={contacts.data?.contacts}
        error={contacts.error}
        onRetry={contacts.reload}
        all={all}
        now={now}
      />
      <MaintenanceCard now={now} />
      <Log log={log} />
    </div>
  );
}

function Log({ log }: { readonly log: Told['log'] }) {
  return (
    <section class="card" data-role="log">
      <h2>What was said lately</h2>
      {log.length === 0 ? (
        <p class="hint">Nothing yet.</p>
      ) : (
        <ul class="said">
          {log.map(({ atMs, target, subject, agent, result, answer }, i) => (
            <li key={`${atMs} ${target} ${i}`} class={result === 'sent' ? 'sent' : 'unsent'}>
              <Moment ms={atMs} />
              <span class="what">{agent === null ? subject : <a href={`/machine/${agent}`}>{subject}</a>}</span>
              <span class="to">
                <b>{result === 'sent' ? 'told' : result}</b> {target}
              </span>
              <span class="faint answer" title={answer}>
                {answer}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
