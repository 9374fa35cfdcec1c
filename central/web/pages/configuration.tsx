/** What machines are to go by: the layers that there are, one of them in an editor, and how its newest version moves. */
import { useEffect, useState } from 'preact/hooks';
import type { ConfigurationLayer } from '../../configuration/api.ts';
import { get } from '../api.ts';
import { Empty, Failure, Skeleton } from '../components/parts.tsx';
import { pathOfLayer } from '../format.ts';
import { ConfigurationEditor } from '../panels/configuration-editor.tsx';
import { ConfigurationOfMachine } from '../panels/configuration-machine.tsx';
import { ConfigurationMoves } from '../panels/configuration-moves.tsx';
import { useResource } from '../resource.ts';

const RELOAD_MS = 5_000;

/** @param scope of the layer that is shown; empty: the list of all */
export function ConfigurationPage({ scope }: { readonly scope: string }) {
  return (
    <div class="panel configuration">
      <h1>Configuration</h1>
      <p class="lead">
        What is said here goes over the machines’ own files: for all, for a cohort, for one machine. A new version is
        tried on some machines first, and a machine that does not come up with it takes it back by itself.
      </p>
      {scope === '' ? <Layers /> : <Layer key={scope} scope={scope} />}
    </div>
  );
}

function Layers() {
  const found = useResource('configuration', (signal) =>
    get<{ layers: readonly ConfigurationLayer[] }>('/configuration', signal),
  );
  const { data, error } = found;
  if (data === undefined) {
    return error === undefined ? (
      <Skeleton lines={4} label="Loading the configurations" />
    ) : (
      <Failure error={error} onRetry={found.reload} />
    );
  }
  const layers = [...data.layers].sort((a, b) => order(a.scope) - order(b.scope) || (a.scope < b.scope ? -1 : 1));
  return (
    <>
      <p class="actions">
        <a href={pathOfLayer('all')}>For all machines</a>
      </p>
      {layers.length === 0 && (
        <Empty title="Nothing is said yet">
          <p class="hint">Machines go by their own files. One for a single machine is begun on the machine’s page.</p>
        </Empty>
      )}
      {layers.length > 0 && (
        <div class="scroll-x">
          <table class="plain figures">
            <thead>
              <tr>
                <th>For</th>
                <th class="numeric">In force</th>
                <th class="numeric">Newest</th>
                <th>How far it is</th>
              </tr>
            </thead>
            <tbody>
              {layers.map(({ scope, stable, newest, rollout }) => (
                <tr key={scope} data-scope={scope}>
                  <td>
                    <a href={pathOfLayer(scope)}>{scope}</a>
                  </td>
                  <td class="numeric">{stable === 0 ? 'nothing' : stable}</td>
                  <td class="numeric">{newest}</td>
                  <td>{rollout === null ? '' : `${rollout.stage}: ${rollout.reason}`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

const order = (scope: string): number => (scope === 'all' ? 0 : scope.startsWith('cohort:') ? 1 : 2);

function Layer({ scope }: { readonly scope: string }) {
  const path = `/configuration/${encodeURIComponent(scope)}`;
  const found = useResource(path, (signal) => get<ConfigurationLayer>(path, signal));
  const [outcome, setOutcome] = useState('');
  useEffect(() => {
    const timer = setInterval(found.reload, RELOAD_MS);
    return () => clearInterval(timer);
  }, [found.reload]);
  const { data, error } = found;
  return (
    <>
      <h2>
        {scope} <a href="/configuration">all layers</a>
      </h2>
      <p role="status" data-role="outcome">
        {outcome}
      </p>
      {data === undefined && error !== undefined && <Failure error={error} onRetry={found.reload} />}
      {data === undefined && error === undefined && <Skeleton lines={6} label="Loading the configuration" />}
      {data !== undefined && (
        <>
          <ConfigurationMoves layer={data} path={path} told={setOutcome} changed={found.reload} />
          <ConfigurationEditor layer={data} path={path} told={setOutcome} changed={found.reload} />
          {scope.startsWith('agent:') && <ConfigurationOfMachine agent={scope.slice('agent:'.length)} />}
        </>
      )}
    </>
  );
}
