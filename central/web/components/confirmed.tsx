/** A button that asks before it acts: the second click does it. */
import { useState } from 'preact/hooks';

interface Props {
  readonly label: string;
  readonly question: string;
  readonly act: () => Promise<void>;
}

export function Confirmed({ label, question, act }: Props) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const go = async (): Promise<void> => {
    setBusy(true);
    await act();
    setBusy(false);
    setAsked(false);
  };
  if (!asked) {
    return (
      <button type="button" onClick={() => setAsked(true)}>
        {label}
      </button>
    );
  }
  return (
    <span role="alert">
      {question}{' '}
      <button type="button" class="primary" disabled={busy} onClick={() => void go()}>
        Yes
      </button>{' '}
      <button type="button" disabled={busy} onClick={() => setAsked(false)}>
        No
      </button>
    </span>
  );
}
