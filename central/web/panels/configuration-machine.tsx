/** What one machine is to go by, which layer each value comes from, and what the machine says of it. */
import { useEffect } from 'preact/hooks';
import type { AgentConfiguration } from '../../configuration/api.ts';
import { get } from '../api.ts';
import { Failure, Skeleton } from '../components/parts.tsx';
import { pathOfLayer } from '../format.ts';
import { useResource } from '../resource.ts';

const stateWords: Readonly<Record<AgentConfiguration['state'], string>> = {
  none: 'It goes by its own file: nothing is said for it.',
  unsupported: 'Its agent is of a version that takes no configuration.',
  'not managed': 'Its own file takes nothing (`managed: false`).',
  'waits for key': 'It waits for the signature of a key that is kept elsewhere.',
  sent: 'It was sent, and the machine does not say yet that it has it.',
  trial: 'It is in force, and on trial: the machine takes it back if it does not come up with it.',
  applied: 'It is in force.',
  refused: 'The machine does not have it: it goes on with what it had.',
};

const RELOAD_MS = 5_000;

export function ConfigurationOfMachine({ agent }: { readonly agent: string }) {
  const found = useResource(`configuration of ${agent}`, (signal) =>
    get<AgentConfiguration>(`/agents/${agent}/configuration`, signal),
  );
  useEffect(() => {
    const timer = setInterval(found.reload, RELOAD_MS);
    return () => clearInterval(timer);
  }, [found.reload]);
  const { data } = found;
  if (data === undefined) {
    return found.error === undefined ? (
      <Skeleton lines={3} label="Loading what the machine goes by" />
    ) : (
      <Failure error={found.error} onRetry={found.reload} />
    );
  }
  const { state, version, running, origins, left, problem, layers } = data;
  return (
    <article class="card" data-role="machine" data-state={state}>
      <h3>
        What <a href={`/machine/${agent}`}>{agent}</a> goes by
      </h3>
      <p>
        {version > 0 && `Version ${version}. `}
        {stateWords[state]}
        {running !== version && running > 0 && ` It goes by version ${running}.`}
      </p>
      {problem !== null && (
        <p class="problems" role="alert">
          {problem}
        </p>
      )}
      {left.length > 0 && <p>Its own file keeps {left.join(', ')}.</p>}
      {origins.length > 0 && (
        <div class="scroll-x">
          <table class="plain figures">
            <thead>
              <tr>
                <th>Key</th>
                <th>Said by</th>
              </tr>
            </thead>
            <tbody>
              {origins.map(({ key, layer }) => (
                <tr key={key}>
                  <td>
                    <code>{key}</code>
                  </td>
                  <td>
                    <a href={pathOfLayer(layer)}>{layer}</a> {layers[layer]}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </article>
  );
}
