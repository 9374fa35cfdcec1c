/** Planned work: what is planned and what was lately, ending it early, and a form. */
import { useState } from 'preact/hooks';
import type { AgentState } from '../../api.ts';
import type { MaintenanceWindow } from '../../feedback/api.ts';
import { get, nowMs, send, wordsOf } from '../api.ts';
import { Failure, Moment, Skeleton } from '../components/parts.tsx';
import { useResource } from '../resource.ts';
import { DAY_MS, HOUR_MS } from '../time.ts';

const spans = [
  { label: 'an hour', ms: HOUR_MS },
  { label: '2 hours', ms: 2 * HOUR_MS },
  { label: '8 hours', ms: 8 * HOUR_MS },
  { label: 'a day', ms: DAY_MS },
  { label: '7 days', ms: 7 * DAY_MS },
] as const;
const SHOWN = 20;

export function MaintenanceCard({ now }: { readonly now: number }) {
  const windows = useResource('maintenance', (signal) =>
    get<{ windows: readonly MaintenanceWindow[] }>('/maintenance', signal),
  );
  const agents = useResource('agents', (signal) => get<{ agents: readonly AgentState[] }>('/agents', signal));
  const [open, setOpen] = useState(false);
  const [trouble, setTrouble] = useState('');
  const attempt = async (path: string, body: object): Promise<void> => {
    setTrouble('');
    try {
      await send('POST', path, body);
      setOpen(false);
    } catch (error) {
      setTrouble(wordsOf(error));
    }
    windows.reload();
  };
  const all = windows.data?.windows;
  const names = new Map((agents.data?.agents ?? []).map(({ id, name }) => [id, name]));
  return (
    <section class="card" data-role="planned-work">
      <div class="head">
        <h2>Planned work</h2>
        <span class="faint">Nobody is woken in it, and nothing is learned from it.</span>
      </div>
      {all === undefined && windows.error !== undefined && <Failure error={windows.error} onRetry={windows.reload} />}
      {all === undefined && windows.error === undefined && <Skeleton lines={2} label="Loading planned work" />}
      {all?.length === 0 && <p class="hint">Nothing is planned.</p>}
      {all !== undefined && all.length > 0 && (
        <ul class="works">
          {all.slice(0, SHOWN).map((window) => (
            <li key={window.id} data-state={stateOf(window, now)} data-window={window.id}>
              <b>{scopeOf(window, names)}</b>
              <span class="what">{window.reason}</span>
              <span class="when">
                <Moment ms={window.fromMs} /> to <Moment ms={window.toMs} />
              </span>
              <span class="faint">
                {stateOf(window, now)}, by {window.by}
                {window.afterwards && ', entered afterwards'}
              </span>
              {window.endedMs === null && window.toMs > now && (
                <button type="button" onClick={() => void attempt(`/maintenance/${window.id}/end`, {})}>
                  {window.fromMs > now ? 'Call it off' : 'End it'}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {trouble !== '' && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      {open ? (
        <WorkForm
          agents={agents.data?.agents ?? []}
          onPlan={(body) => void attempt('/maintenance', body)}
          onCancel={() => setOpen(false)}
        />
      ) : (
        <button type="button" class="link" data-role="plan-open" onClick={() => setOpen(true)}>
          Plan work …
        </button>
      )}
    </section>
  );
}

function stateOf({ fromMs, toMs, endedMs }: MaintenanceWindow, now: number): string {
  if (endedMs !== null) return toMs <= fromMs ? 'called off' : 'ended early';
  if (toMs <= now) return 'over';
  return fromMs > now ? 'planned' : 'now';
}

function scopeOf({ agent, site }: MaintenanceWindow, names: ReadonlyMap<string, string>): string {
  if (agent !== null) return names.get(agent) ?? agent;
  return site === null ? 'The whole fleet' : `Site ${site}`;
}

interface FormProps {
  readonly agents: readonly AgentState[];
  readonly onPlan: (body: object) => void;
  readonly onCancel: () => void;
}

function WorkForm({ agents, onPlan, onCancel }: FormProps) {
  const sites = [...new Set(agents.map(({ site }) => site))].filter((site) => site !== '').sort();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(form.get(name) ?? '').trim();
    // What the field says is in the viewer's own time; left empty it is now.
    const from = text('from') === '' ? nowMs() : new Date(text('from')).getTime();
    const where = text('where');
    const scope = where.startsWith('a:') ? { agent: where.slice(2) } : where === '' ? {} : { site: where.slice(2) };
    const fromMs = Math.round(from);
    onPlan({ ...scope, fromMs, toMs: fromMs + Number(form.get('span')), reason: text('reason') });
  };
  return (
    <form class="mute-form" onSubmit={submit} data-role="plan-form">
      <label>
        Where
        <select name="where">
          <option value="">the whole fleet</option>
          {sites.map((site) => (
            <option key={site} value={`s:${site}`}>
              site {site}
            </option>
          ))}
          {agents.map(({ id, name }) => (
            <option key={id} value={`a:${id}`}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        From <input name="from" type="datetime-local" title="left empty: now; it may be over already" />
      </label>
      <label>
        For
        <select name="span">
          {spans.map(({ label, ms }) => (
            <option key={ms} value={ms}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label class="wide">
        Reason <input name="reason" required maxLength={128} autocomplete="off" />
      </label>
      <span class="buttons">
        <button type="submit" class="primary">
          Plan
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </span>
    </form>
  );
}
