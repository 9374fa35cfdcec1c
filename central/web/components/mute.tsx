/** Silence for a while: a mark in the fleet's list; on the machine's page what is muted, and a form that asks for it. */
import { useEffect, useState } from 'preact/hooks';
import type { Mute } from '../../../shared/mute.ts';
import type { AgentState, MuteOrder } from '../../api.ts';
import { get, send, wordsOf } from '../api.ts';
import { useResource } from '../resource.ts';
import { presenceOf } from '../states.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time.ts';
import { Moment } from './parts.tsx';

const spans = [
  { label: '30 minutes', ms: 30 * MINUTE_MS },
  { label: '2 hours', ms: 2 * HOUR_MS },
  { label: '8 hours', ms: 8 * HOUR_MS },
  { label: 'a day', ms: DAY_MS },
  { label: '7 days', ms: 7 * DAY_MS },
] as const;
const USUAL_MS = 2 * HOUR_MS;
/** What was asked for is looked after as often while it waits. */
const LOOK_MS = 3_000;

type What = Pick<Mute, 'rule' | 'series'>;

function inForce(agent: AgentState, now: number): readonly Mute[] {
  return (agent.reported?.mutes ?? []).filter(({ untilMs }) => untilMs > now);
}

function namesOf({ rule, series }: What): string {
  if (rule === null && series === null) return 'everything';
  return [rule === null ? '' : `rule ${rule}`, series === null ? '' : `series ${series}`].filter(Boolean).join(', ');
}

export function MuteMark({ agent, now }: { readonly agent: AgentState; readonly now: number }) {
  const mutes = inForce(agent, now);
  if (mutes.length === 0) return null;
  const whole = mutes.some(({ rule, series }) => rule === null && series === null);
  return (
    <span class="mute-mark" title={mutes.map((mute) => `${namesOf(mute)}, by ${mute.by}`).join('; ')}>
      {whole ? 'muted' : 'partly muted'}
    </span>
  );
}

export function Mutes({ agent, now }: { readonly agent: AgentState; readonly now: number }) {
  const { id } = agent;
  const mutes = inForce(agent, now);
  const { data, reload } = useResource(`mutes ${id}`, (signal) =>
    get<{ orders: MuteOrder[] }>(`/agents/${id}/mutes`, signal),
  );
  const orders = (data?.orders ?? []).filter(({ state }) => state !== 'done');
  const waits = orders.some(({ state }) => state === 'waiting');
  useEffect(() => {
    if (!waits) return;
    const timer = setInterval(reload, LOOK_MS);
    return () => clearInterval(timer);
  }, [waits, reload]);
  const [trouble, setTrouble] = useState('');
  const ask = async (path: 'mute' | 'unmute', body: object): Promise<void> => {
    setTrouble('');
    try {
      await send('POST', `/agents/${id}/${path}`, body);
    } catch (error) {
      setTrouble(wordsOf(error));
    }
    reload();
  };
  if (presenceOf(agent) === 'retired') return null;
  return (
    <section class={`mutes ${mutes.length > 0 ? 'on' : ''}`} aria-label="Muted" data-role="mutes">
      {mutes.map((mute) => (
        <p class="muted-line" key={mute.id} data-role="muted">
          <strong>Muted: {namesOf(mute)}</strong> until <Moment ms={mute.untilMs} />, by {mute.by}
          {mute.reason !== '' && `: ${mute.reason}`}. It is recorded and shown, and wakes nobody.{' '}
          <button type="button" class="link" onClick={() => void ask('unmute', wordsFor(mute))}>
            End it
          </button>
        </p>
      ))}
      {orders.map((order) => (
        <p class="order-line" key={order.id} data-role="order" role="status">
          <Order order={order} online={agent.presence === 'online'} />
        </p>
      ))}
      {trouble !== '' && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <MuteForm onAsk={(body) => ask('mute', body)} />
    </section>
  );
}

/** Only what is said: the API takes no nulls. */
function wordsFor({ rule, series }: What): object {
  return { ...(rule === null ? {} : { rule }), ...(series === null ? {} : { series }) };
}

function Order({ order, online }: { readonly order: MuteOrder; readonly online: boolean }) {
  const what = `${order.forMs === null ? 'to end what is muted' : 'to mute'} (${namesOf(order)})`;
  if (order.state === 'refused')
    return (
      <span class="trouble">
        The machine refused {what}: {order.problem}
      </span>
    );
  if (order.state === 'expired') return <span class="faint">The machine was not heard of in time {what}.</span>;
  return (
    <span class="faint">
      <span class="spinner" aria-hidden="true" /> It was asked {what}
      {online ? ' …' : '; it is told when it is back, until '}
      {!online && <Moment ms={order.endsMs} />}
    </span>
  );
}

function MuteForm({ onAsk }: { readonly onAsk: (body: object) => Promise<void> }) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(form.get(name) ?? '').trim();
    setBusy(true);
    await onAsk({
      forMs: Number(form.get('span')),
      ...(text('reason') === '' ? {} : { reason: text('reason') }),
      ...(text('rule') === '' ? {} : { rule: text('rule') }),
    });
    setBusy(false);
    setOpen(false);
  };
  if (!open) {
    return (
      <button type="button" class="link mute-open" data-role="mute-open" onClick={() => setOpen(true)}>
        Mute …
      </button>
    );
  }
  return (
    <form class="mute-form" onSubmit={submit} aria-busy={busy} data-role="mute-form">
      <label>
        For
        <select name="span">
          {spans.map(({ label, ms }) => (
            <option key={ms} value={ms} selected={ms === USUAL_MS}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label class="wide">
        Reason <input name="reason" maxLength={200} placeholder="for those who wonder" autocomplete="off" />
      </label>
      <label>
        Only the rule <input name="rule" maxLength={64} placeholder="everything" autocomplete="off" />
      </label>
      <span class="buttons">
        <button type="submit" class="primary" disabled={busy}>
          Mute
        </button>
        <button type="button" onClick={() => setOpen(false)}>
          Cancel
        </button>
      </span>
    </form>
  );
}
