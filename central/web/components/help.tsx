/** The keys, told. */
import { useEffect, useRef } from 'preact/hooks';

const keys: readonly (readonly [string, string])[] = [
  ['/', 'Search'],
  ['j  k', 'Next, previous machine or section'],
  ['Enter', 'Open the machine'],
  ['g f', 'To the fleet'],
  ['g a', 'Add a machine'],
  ['g n', 'Alerts: who is told'],
  ['1 … 5', 'Range of the charts: 15 min … 7 d'],
  ['0', 'Back out of a zoom'],
  ['t', 'Light or dark'],
  ['?', 'This help'],
  ['Esc', 'Close, leave the search'],
];

export function Help({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="help" onClose={onClose} aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(/\s+/).map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">On a chart: drag to zoom, double-click to go back, click a name to see that line alone.</p>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
