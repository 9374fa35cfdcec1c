/** The targets of notifications with their state, and the sign of life that goes out. */
import { useState } from 'preact/hooks';
import type { AlertsView } from '../../alerts/api.ts';
import { send, wordsOf } from '../api.ts';
import { Ago } from '../components/parts.tsx';
import { counted, formatCount } from '../format.ts';
import { formatAgo, formatSpan } from '../time.ts';

type Target = AlertsView['targets'][number];

const example = `alerts:
  targets:
    - kind: webhook
      name: on-call
      url: https://alerts.example/picket
    - kind: email
      name: office
      to: [ops@example.org]
      from: picket@example.org
      smtp: {host: smtp.example.org, user: picket, password: change me}`;

interface Props {
  readonly targets: readonly Target[];
  readonly now: number;
  readonly onTested: () => void;
}

export function AlertTargets({ targets, now, onTested }: Props) {
  return (
    <section class="card" data-role="targets">
      <h2>Who is told</h2>
      {targets.length === 0 ? (
        <div class="nobody">
          <p>Nobody is told yet.</p>
          <p class="hint">Name somebody in the configuration of the central, for example:</p>
          <pre>{example}</pre>
        </div>
      ) : (
        <ul class="targets">
          {targets.map((target) => (
            <TargetLine key={target.name} target={target} now={now} onTested={onTested} />
          ))}
        </ul>
      )}
    </section>
  );
}

type Tested = { readonly state: 'sending' } | { readonly state: 'sent' | 'failed'; readonly words: string } | null;

function TargetLine({ target, now, onTested }: Omit<Props, 'targets'> & { readonly target: Target }) {
  const { name, kind, where, lastSuccessMs, lastErrorMs, lastError, failures, waiting, waitingSinceMs } = target;
  const { nextTryMs, sent, dropped } = target;
  const [tested, setTested] = useState<Tested>(null);
  const test = (): void => {
    setTested({ state: 'sending' });
    send<{ answer: string }>('POST', `/alerts/targets/${name}/test`)
      .then(
        ({ answer }) => setTested({ state: 'sent', words: answer }),
        (error: unknown) => setTested({ state: 'failed', words: wordsOf(error) }),
      )
      .finally(onTested);
  };
  const state = failures > 0 ? 'failing' : lastSuccessMs === null ? 'unused' : 'working';
  return (
    <li class={state} data-target={name}>
      <span class="name">
        <i class="dot" aria-hidden="true" />
        <b>{name}</b>{' '}
        <span class="faint">
          {kind === 'email' ? 'mail to' : 'webhook at'} {where}
        </span>
      </span>
      <span class="facts-line">
        <span>
          {state === 'failing' ? (
            <>
              <b class="trouble">failed {counted(failures, 'time')} in a row</b>
              {lastErrorMs !== null && <>, last {formatAgo(lastErrorMs, now)}</>}
              {nextTryMs !== null && <>; tried again {formatAgo(Math.max(nextTryMs, now + 5_000), now)}</>}
            </>
          ) : (
            <>
              last taken <Ago ms={lastSuccessMs} now={now} />
            </>
          )}
        </span>
        <span>{formatCount(sent)} sent</span>
        <span>
          {waiting === 0 ? 'nothing waits' : `${formatCount(waiting)} wait`}
          {waitingSinceMs !== null && <span class="faint"> for {formatSpan(now - waitingSinceMs)}</span>}
        </span>
        {dropped > 0 && <span class="trouble">{formatCount(dropped)} given up</span>}
      </span>
      {failures > 0 && lastError !== null && <span class="problem">{lastError}</span>}
      <span class="test">
        <button type="button" onClick={test} disabled={tested?.state === 'sending'}>
          {tested?.state === 'sending' ? 'Sending…' : 'Send a test'}
        </button>
        {tested !== null && tested.state !== 'sending' && (
          <span role="status" class={tested.state === 'failed' ? 'trouble' : 'adds-up'}>
            {tested.state === 'sent' ? `Taken: ${tested.words}` : tested.words}
          </span>
        )}
      </span>
    </li>
  );
}

export function HeartbeatLine({
  heartbeat,
  now,
}: {
  readonly heartbeat: AlertsView['heartbeat'];
  readonly now: number;
}) {
  if (heartbeat === null) {
    return (
      <p class="hint" data-role="heartbeat">
        No heartbeat goes out: nobody outside would notice if this central ended. <code>alerts.heartbeat</code> sends
        one.
      </p>
    );
  }
  const { where, intervalMs, lastSuccessMs, problem } = heartbeat;
  return (
    <p class="hint" data-role="heartbeat">
      A heartbeat goes to {where} each {formatSpan(intervalMs)}, last taken <Ago ms={lastSuccessMs} now={now} />
      {problem !== null && <span class="trouble">; {problem}</span>}.
    </p>
  );
}
