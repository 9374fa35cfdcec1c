/** What people say of an incident: the verdict with its class and note, a form to say it, what it looks like otherwise. */
import { useEffect, useState } from 'preact/hooks';
import type { IncidentClass, IncidentLabel, ShownIncident, Suggestion, Verdict } from '../../feedback/api.ts';
import { get, send, wordsOf } from '../api.ts';
import { Moment } from '../components/parts.tsx';
import { useResource } from '../resource.ts';

export const verdictWords: Readonly<Record<Verdict, string>> = {
  real: 'real',
  false_alarm: 'false alarm',
  planned: 'planned work',
};

export function LabelLine({ incident }: { readonly incident: ShownIncident }) {
  const [label, setLabel] = useState<IncidentLabel | undefined>(incident.label);
  const [asked, setAsked] = useState<Verdict | null>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState('');
  useEffect(() => setLabel(incident.label), [incident.label?.atMs, incident.label?.verdict]);
  const path = `/agents/${incident.agent}/incidents/${incident.epoch}/${incident.seq}/label`;
  const attempt = async (work: () => Promise<IncidentLabel | undefined>): Promise<void> => {
    setBusy(true);
    setTrouble('');
    try {
      setLabel(await work());
      setAsked(null);
    } catch (error) {
      setTrouble(wordsOf(error));
    }
    setBusy(false);
  };
  const say = (verdict: Verdict, more: { class?: string; note?: string }): Promise<void> =>
    attempt(() => send<IncidentLabel>('PUT', path, { verdict, ...more }));
  const withdraw = (): Promise<void> =>
    attempt(async () => {
      await send('DELETE', path);
      return undefined;
    });
  return (
    <div class="judged" data-role="judged" aria-busy={busy}>
      {incident.maintenance !== undefined && (
        <p class="planned" data-role="maintenance">
          In planned work: {incident.maintenance.reason}. Nobody is woken for it.
        </p>
      )}
      {label !== undefined && asked === null && (
        <p data-role="label">
          <strong class={`verdict ${label.verdict}`}>{said(label)}</strong>
          {label.note !== '' && <span> {label.note}</span>}
          <span class="faint">
            {' '}
            said by {label.by}, <Moment ms={label.atMs} />
          </span>{' '}
          <button type="button" class="link" disabled={busy} onClick={() => setAsked(label.verdict)}>
            Change
          </button>{' '}
          <button type="button" class="link" disabled={busy} onClick={() => void withdraw()}>
            Withdraw
          </button>
        </p>
      )}
      {label === undefined && incident.suggested !== undefined && <Looks suggested={incident.suggested} />}
      {label === undefined && asked === null && (
        <p class="ask" data-role="ask">
          <span class="faint">What was it?</span>{' '}
          {(['real', 'false_alarm', 'planned'] as const).map((verdict) => (
            <button key={verdict} type="button" onClick={() => setAsked(verdict)} data-verdict={verdict}>
              {sentence(verdictWords[verdict])}
            </button>
          ))}
        </p>
      )}
      {asked !== null && (
        <LabelForm
          verdict={asked}
          before={label}
          suggested={incident.suggested}
          busy={busy}
          onVerdict={setAsked}
          onSay={(more) => say(asked, more)}
          onCancel={() => setAsked(null)}
        />
      )}
      {trouble !== '' && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
    </div>
  );
}

function said({ verdict, class: name }: Pick<IncidentLabel, 'verdict' | 'class'>): string {
  const words = sentence(verdictWords[verdict]);
  return name === null ? words : `${words}: ${name}`;
}

function sentence(words: string): string {
  return `${words[0]?.toUpperCase() ?? ''}${words.slice(1)}`;
}

/** `Looks like: pump bearing (3 of 4 similar ones)`. */
function Looks({ suggested }: { readonly suggested: Suggestion }) {
  const { verdict, class: name, agreeing, similar } = suggested;
  if (verdict === 'unknown') {
    const why = similar === 0 ? 'nothing like it was judged before' : `the ${similar} most similar ones disagree`;
    return (
      <p class="faint" data-role="suggested">
        Looks like: unknown ({why})
      </p>
    );
  }
  return (
    <p data-role="suggested">
      Looks like: <b>{name ?? (verdict === 'real' ? 'a real one' : verdictWords[verdict])}</b>{' '}
      <span class="faint">
        ({agreeing} of {similar} similar {similar === 1 ? 'one' : 'ones'})
      </span>
    </p>
  );
}

interface FormProps {
  readonly verdict: Verdict;
  readonly before: IncidentLabel | undefined;
  readonly suggested: Suggestion | undefined;
  readonly busy: boolean;
  readonly onVerdict: (verdict: Verdict) => void;
  readonly onSay: (more: { class?: string; note?: string }) => Promise<void>;
  readonly onCancel: () => void;
}

const meanings: Readonly<Record<Verdict, string>> = {
  real: 'A fault: what was measured meanwhile is not learned from.',
  false_alarm: 'Usual for this machine: the next model expects it at this time.',
  planned: 'Somebody worked on it: what was measured meanwhile is not learned from.',
};

function LabelForm({ verdict, before, suggested, busy, onVerdict, onSay, onCancel }: FormProps) {
  const classes = useResource('incident classes', (signal) =>
    get<{ classes: readonly IncidentClass[] }>('/incident-classes', signal),
  );
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(form.get(name) ?? '').trim();
    const [name, note] = [text('class'), text('note')];
    void onSay({ ...(verdict === 'real' && name !== '' && { class: name }), ...(note !== '' && { note }) });
  };
  return (
    <form class="label-form" onSubmit={submit} data-role="label-form">
      <label>
        It was
        <select
          name="verdict"
          value={verdict}
          onChange={(event) => onVerdict((event.currentTarget as HTMLSelectElement).value as Verdict)}
        >
          {(Object.keys(verdictWords) as Verdict[]).map((one) => (
            <option key={one} value={one}>
              {verdictWords[one]}
            </option>
          ))}
        </select>
      </label>
      {verdict === 'real' && (
        <label>
          namely
          <input
            name="class"
            maxLength={40}
            list="incident-classes"
            placeholder="such as disk full"
            autocomplete="off"
            defaultValue={before?.class ?? suggested?.class ?? ''}
          />
          <datalist id="incident-classes">
            {(classes.data?.classes ?? []).map(({ name }) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </label>
      )}
      <label class="wide">
        Note <input name="note" maxLength={256} autocomplete="off" defaultValue={before?.note ?? ''} />
      </label>
      <span class="buttons">
        <button type="submit" class="primary" disabled={busy}>
          Save
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </span>
      <p class="faint">{meanings[verdict]}</p>
    </form>
  );
}
