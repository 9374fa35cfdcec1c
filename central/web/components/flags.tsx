/** What speaks against one machine behind an identity: in the fleet's list a mark, on the machine's page what to do. */
import { useState } from 'preact/hooks';
import type { AgentFlag, AgentState } from '../../api.ts';
import { send, wordsOf } from '../api.ts';
import { Moment } from './parts.tsx';

const names: Readonly<Record<AgentFlag['kind'], string>> = {
  clone: 'two machines',
  rolled_back: 'disk rolled back',
  replaced: 'disk replaced',
  conflict: 'records conflict',
};

export function FlagMarks({ flags }: { readonly flags: readonly AgentFlag[] }) {
  return (
    <>
      {flags.map(({ id, kind, text }) => (
        <span key={id} class="flag-mark" title={text}>
          <span aria-hidden="true">⚑ </span>
          {names[kind]}
        </span>
      ))}
    </>
  );
}

export function Flags({ agent, onDone }: { readonly agent: AgentState; readonly onDone: () => void }) {
  return (
    <>
      {agent.flags.map((flag) => (
        <Flag key={flag.id} agent={agent.id} flag={flag} onDone={onDone} />
      ))}
    </>
  );
}

function Flag({
  agent,
  flag,
  onDone,
}: {
  readonly agent: string;
  readonly flag: AgentFlag;
  readonly onDone: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const dismiss = async (): Promise<void> => {
    setBusy(true);
    try {
      await send('POST', `/agents/${agent}/flags/${flag.id}/dismiss`);
      onDone();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  return (
    <div class="notice flag" role="alert" data-role="flag">
      <p class="flag-head">
        <strong>
          <span aria-hidden="true">⚑ </span>
          {flag.text}
        </strong>{' '}
        <span class="faint">
          Noticed <Moment ms={flag.sinceMs} />.
        </span>
      </p>
      <p>{flag.advice}</p>
      <ul class="flag-epochs">
        {flag.epochs.map(({ epoch, boot, firstMs }, i) => (
          <li key={epoch}>
            {flag.kind === 'clone' && `machine ${i + 1}: `}
            epoch <code title={epoch}>{epoch.slice(0, 8)}</code>
            {boot !== null && (
              <>
                , boot <code title={boot}>{boot.slice(0, 4)}</code>
              </>
            )}
            {firstMs > 0 && (
              <>
                , from <Moment ms={firstMs} />
              </>
            )}
          </li>
        ))}
      </ul>
      <p class="actions">
        <a href={`/machine/${agent}/ledger`}>Its ledger</a>
        <button type="button" disabled={busy} onClick={() => void dismiss()}>
          Dismiss
        </button>
        {error !== undefined && <span class="trouble">{wordsOf(error)}</span>}
      </p>
    </div>
  );
}
