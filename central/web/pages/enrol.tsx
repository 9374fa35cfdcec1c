/** Adding machines: a token, and the one command to paste. */
import { useEffect, useState } from 'preact/hooks';
import type { EnrolmentToken } from '../../api.ts';
import { get, nowMs, send, wordsOf } from '../api.ts';
import { Command } from '../components/command.tsx';
import { Failure, Moment, Skeleton } from '../components/parts.tsx';
import type { Fleet } from '../fleet.ts';
import { useResource } from '../resource.ts';
import { DAY_MS, HOUR_MS } from '../time.ts';

interface Made {
  readonly token: string;
  readonly command: string;
  readonly record: EnrolmentToken;
}

const lives = [
  { label: 'an hour', ms: HOUR_MS },
  { label: 'a day', ms: DAY_MS },
  { label: '30 days', ms: 30 * DAY_MS },
  { label: 'a year', ms: 365 * DAY_MS },
] as const;

export function EnrolPage({ fleet }: { readonly fleet: Fleet }) {
  const [count, setCount] = useState(0);
  useEffect(() => {
    document.title = 'Add a machine · Picket';
  }, []);
  return (
    <div class="enrol">
      <h1>Add a machine</h1>
      <NewToken fleet={fleet} onMade={() => setCount(count + 1)} />
      <Tokens key={count} />
    </div>
  );
}

/** What a central without machines shows. */
export function FirstMachine({ fleet }: { readonly fleet: Fleet }) {
  return (
    <div class="enrol">
      <h1>No machine yet</h1>
      <p>Picket shows what its agents send. Make a token, paste the command on a machine, and it appears here.</p>
      <NewToken fleet={fleet} onMade={() => undefined} />
    </div>
  );
}

function NewToken({ fleet, onMade }: { readonly fleet: Fleet; readonly onMade: () => void }) {
  const [made, setMade] = useState<Made | null>(null);
  const [trouble, setTrouble] = useState('');
  const [many, setMany] = useState(false);
  const [busy, setBusy] = useState(false);
  const [joined, setJoined] = useState(0);
  useEffect(() => {
    if (made === null) return;
    const before = new Set((fleet.agents.get() ?? []).map(({ id }) => id));
    return fleet.agents.subscribe((agents) => setJoined((agents ?? []).filter(({ id }) => !before.has(id)).length));
  }, [made, fleet]);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(form.get(name) ?? '').trim();
    setBusy(true);
    setTrouble('');
    try {
      const answer = await send<Made>('POST', '/tokens', {
        note: text('note'),
        site: text('site'),
        tags: tagsFrom(text('tags')),
        maxUses: many ? Number(form.get('maxUses')) : 1,
        expiresMs: Math.round(nowMs() + Number(form.get('life'))),
      });
      setMade(answer);
      setJoined(0);
      onMade();
    } catch (error) {
      setTrouble(wordsOf(error));
    }
    setBusy(false);
  };

  return (
    <>
      <form class="card token-form" onSubmit={submit} aria-busy={busy}>
        <fieldset>
          <legend>For</legend>
          <label class="choice">
            <input type="radio" name="many" checked={!many} onChange={() => setMany(false)} /> one machine
          </label>
          <label class="choice">
            <input type="radio" name="many" checked={many} onChange={() => setMany(true)} /> many
          </label>
          {many && (
            <label class="inline">
              at most <input type="number" name="maxUses" min={1} max={100_000} value={20} required />
            </label>
          )}
        </fieldset>
        <label>
          Usable for
          <select name="life" defaultValue={String(DAY_MS)}>
            {lives.map(({ label, ms }) => (
              <option key={ms} value={ms} selected={ms === DAY_MS}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label>
          Site <input name="site" maxLength={256} placeholder="none" autocomplete="off" />
        </label>
        <label>
          Tags <input name="tags" maxLength={512} placeholder="line=b, role=pump" autocomplete="off" />
        </label>
        <label>
          Note <input name="note" maxLength={256} placeholder="for your own memory" autocomplete="off" />
        </label>
        <button type="submit" class="primary" disabled={busy}>
          Make the command
        </button>
        {trouble !== '' && (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
      </form>
      {made !== null && (
        <section class="card made" aria-live="polite">
          <h2>Paste this on {made.record.maxUses === 1 ? 'the machine' : 'each machine'}</h2>
          <Command text={made.command} />
          <p class="hint">
            It is shown this once. The token ends <Moment ms={made.record.expiresMs} />, or when{' '}
            {made.record.maxUses === 1 ? 'one machine has used it' : `${made.record.maxUses} machines have used it`}.
          </p>
          <p class="waiting-line">
            {joined === 0 ? (
              <>
                <span class="spinner" aria-hidden="true" /> Waiting for it to come…
              </>
            ) : (
              <a href="/">{joined === 1 ? 'It is here: to the fleet' : `${joined} are here: to the fleet`}</a>
            )}
          </p>
        </section>
      )}
    </>
  );
}

/** `line=b, role=pump`; a word without a value is a tag with an empty one. */
function tagsFrom(text: string): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const name = (at < 0 ? part : part.slice(0, at)).trim();
    if (name !== '') tags[name] = at < 0 ? '' : part.slice(at + 1).trim();
  }
  return tags;
}

function Tokens() {
  const { data, error, reload } = useResource('tokens', (signal) =>
    get<{ tokens: readonly EnrolmentToken[] }>('/tokens', signal),
  );
  const [trouble, setTrouble] = useState('');
  if (error !== undefined) return <Failure error={error} onRetry={reload} />;
  if (data === undefined) return <Skeleton lines={3} label="Loading the tokens" />;
  if (data.tokens.length === 0) return null;
  const revoke = (id: string): void => {
    send('DELETE', `/tokens/${id}`).then(reload, (problem: unknown) => setTrouble(wordsOf(problem)));
  };
  return (
    <section>
      <h2>Tokens</h2>
      {trouble !== '' && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <div class="scroll-x">
        <table class="plain">
          <thead>
            <tr>
              <th>Note</th>
              <th>Site</th>
              <th class="numeric">Used</th>
              <th>Ends</th>
              <th>State</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {data.tokens.map((token) => {
              const state = stateOf(token);
              return (
                <tr key={token.id} class={state === 'usable' ? '' : 'faint'}>
                  <td>{token.note === '' ? <code>{token.id}</code> : token.note}</td>
                  <td>{token.site}</td>
                  <td class="numeric">
                    {token.uses} of {token.maxUses}
                  </td>
                  <td>
                    <Moment ms={token.expiresMs} />
                  </td>
                  <td>{state}</td>
                  <td>
                    {state === 'usable' && (
                      <button type="button" onClick={() => revoke(token.id)}>
                        Revoke
                      </button>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function stateOf(token: EnrolmentToken): string {
  if (token.revoked) return 'revoked';
  if (token.uses >= token.maxUses) return 'used up';
  return token.expiresMs <= nowMs() ? 'expired' : 'usable';
}
