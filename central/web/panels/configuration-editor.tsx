/** A layer's text in an editor: what is wrong with it at its line, what it changes, and the versions before. */
import { useEffect, useState } from 'preact/hooks';
import type { ConfigurationLayer, ConfigurationVersion } from '../../configuration/api.ts';
import { get, send, wordsOf } from '../api.ts';
import { Confirmed } from '../components/confirmed.tsx';
import { Failure, Moment, Skeleton } from '../components/parts.tsx';
import { counted } from '../format.ts';
import { useResource } from '../resource.ts';

/** After the last key. */
const CHECK_MS = 400;
const SHOWN_VERSIONS = 20;

interface Problem {
  readonly line: number;
  readonly column: number;
  readonly key: string;
  readonly message: string;
}
interface Judged {
  readonly problems: readonly Problem[];
  readonly diff: readonly { readonly sign: string; readonly text: string }[];
}

export interface LayerProps {
  readonly layer: ConfigurationLayer;
  /** Of it, below the API. */
  readonly path: string;
  readonly told: (outcome: string) => void;
  readonly changed: () => void;
}

export function ConfigurationEditor({ layer, path, told, changed }: LayerProps) {
  const kept = layer.wanted?.text ?? '';
  // What was being written stays, with the version that it began with, whatever comes meanwhile.
  const [draft, setDraft] = useState<{ text: string; seen: number } | null>(null);
  const [comment, setComment] = useState('');
  const [judged, setJudged] = useState<Judged | null>(null);
  const text = draft?.text ?? kept;
  const differs = text !== kept;
  useEffect(() => {
    setJudged(null);
    if (!differs) return;
    let gone = false;
    const look = (): Promise<void> =>
      send<Judged>('POST', `${path}/check`, { text }).then(
        (answer) => {
          if (!gone) setJudged(answer);
        },
        (error) => {
          if (!gone) told(wordsOf(error));
        },
      );
    const timer = setTimeout(() => void look(), CHECK_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [text, kept, path]);
  const save = async (): Promise<void> => {
    const seen = draft?.seen ?? layer.newest;
    try {
      await send('PUT', path, { text, comment }, { 'if-match': `"${seen}"` });
      setDraft(null);
      setComment('');
      told('');
    } catch (error) {
      told(wordsOf(error));
    }
    changed();
  };
  const right = judged !== null && judged.problems.length === 0;
  return (
    <section>
      <label class="editor">
        <span>What is said, in YAML as in a machine’s own file</span>
        <textarea
          rows={16}
          spellcheck={false}
          value={text}
          aria-invalid={judged !== null && !right}
          onInput={(event) => {
            const { value } = event.currentTarget;
            setDraft((before) => ({ text: value, seen: before?.seen ?? layer.newest }));
          }}
        />
      </label>
      {judged !== null && !right && (
        <ul class="problems" role="alert">
          {judged.problems.map(({ line, column, key, message }) => (
            <li key={`${line}:${column}:${message}`}>
              Line {line}, column {column}
              {key !== '' && (
                <>
                  , <code>{key}</code>
                </>
              )}
              : {message}
            </li>
          ))}
        </ul>
      )}
      {differs && draft !== null && draft.seen !== layer.newest && (
        <p role="alert">Version {layer.newest} came meanwhile: drop your changes to see it.</p>
      )}
      {differs && judged !== null && <Diff lines={judged.diff} />}
      {differs && (
        <p class="actions">
          <label>
            Why <input maxLength={200} value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
          </label>{' '}
          {right && <Confirmed label="Save" question="Give it to the first machines?" act={save} />}{' '}
          <button type="button" onClick={() => setDraft(null)}>
            Drop the changes
          </button>
        </p>
      )}
      {layer.newest > 0 && <History layer={layer} path={path} told={told} changed={changed} />}
    </section>
  );
}

function Diff({ lines }: { readonly lines: Judged['diff'] }) {
  const names: Readonly<Record<string, string>> = { '+': 'came', '-': 'went' };
  return (
    <pre class="diff" data-role="diff">
      {lines.map(({ sign, text }, index) => (
        <span key={index} class={names[sign]}>{`${sign} ${text}\n`}</span>
      ))}
    </pre>
  );
}

function History({ layer, path, told, changed }: LayerProps) {
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{counted(layer.newest, 'version')}</summary>
      {open && <Versions layer={layer} path={path} told={told} changed={changed} />}
    </details>
  );
}

function Versions({ layer, path, told, changed }: LayerProps) {
  const found = useResource(`${path} ${layer.newest}`, (signal) =>
    get<{ versions: readonly ConfigurationVersion[] }>(`${path}/versions`, signal),
  );
  const revert = async (version: number): Promise<void> => {
    try {
      await send('POST', `${path}/revert`, { version });
      told('');
    } catch (error) {
      told(wordsOf(error));
    }
    changed();
  };
  if (found.data === undefined) {
    return found.error === undefined ? (
      <Skeleton lines={3} label="Loading the versions" />
    ) : (
      <Failure error={found.error} onRetry={found.reload} />
    );
  }
  return (
    <>
      {found.data.versions.slice(0, SHOWN_VERSIONS).map(({ version, author, comment, atMs, text }) => (
        <article key={version} class="card" data-version={version}>
          <p>
            Version {version}, by {author} <Moment ms={atMs} />
            {comment !== '' && `: ${comment}`}{' '}
            {version !== layer.wanted?.version && (
              <Confirmed label="Go back to it" question="Make a new version of it?" act={() => revert(version)} />
            )}
          </p>
          <pre>{text === '' ? 'nothing' : text}</pre>
        </article>
      ))}
    </>
  );
}
