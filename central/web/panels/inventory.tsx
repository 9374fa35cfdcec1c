/** What the machine is: hardware, system, disks, as it told; and what it can run. */
import type { ComponentChildren } from 'preact';
import type { AgentState } from '../../api.ts';
import { Empty, Facts, Moment } from '../components/parts.tsx';
import { digits, formatBytes } from '../format.ts';
import { titleFromName } from '../metrics/titles.ts';
import type { Resource } from '../resource.ts';

export interface InventoryAnswer {
  readonly timeMs: number;
  readonly json: unknown;
}

interface Props {
  readonly agent: AgentState;
  readonly inventory: Resource<InventoryAnswer | null>;
}

const DEEPEST = 4;
const MOST_ENTRIES = 100;

export function InventoryPanel({ agent, inventory }: Props) {
  const found = inventory.data;
  return (
    <div class="panel">
      {found == null ? (
        <Empty title="This machine has not sent its inventory yet" />
      ) : (
        <>
          <p class="faint">
            As of <Moment ms={found.timeMs} />
          </p>
          <div class="columns">{sectionsOf(found.json)}</div>
        </>
      )}
      <section class="card">
        <h3>Picket</h3>
        <Facts
          facts={[
            ['Identity', <code key="id">{agent.id}</code>],
            ['Enrolled', <Moment key="enrolled" ms={agent.enrolledMs} />],
            ['Agent', agent.reported?.agentVersion ?? 'not told yet'],
            ['Manifest', agent.reported === null ? '–' : String(agent.reported.manifestVersion)],
            ['Can run', agent.reported?.supports.map(({ kind, major }) => `${kind} ${major}`).join(', ') ?? '–'],
            ...Object.entries(agent.reported?.health ?? {}).map(
              ([name, value]) => [titleFromName(name), value === null ? '–' : digits(value)] as const,
            ),
          ]}
        />
      </section>
    </div>
  );
}

function sectionsOf(json: unknown): ComponentChildren {
  if (!isObject(json)) return <p>{String(json)}</p>;
  const plain = Object.entries(json).filter(([, value]) => !isObject(value) && !Array.isArray(value));
  const deep = Object.entries(json).filter(
    ([, value]) => isObject(value) || (Array.isArray(value) && value.length > 0),
  );
  return [
    plain.length > 0 && (
      <section class="card" key="plain">
        <h3>Machine</h3>
        <Facts facts={plain.map(([name, value]) => [titleOf(name), textOf(name, value)] as const)} />
      </section>
    ),
    ...deep.map(([name, value]) => (
      <section class="card" key={name}>
        <h3>{titleOf(name)}</h3>
        <Value name={name} value={value} depth={1} />
      </section>
    )),
  ];
}

function Value({ name, value, depth }: { readonly name: string; readonly value: unknown; readonly depth: number }) {
  if (Array.isArray(value)) {
    return (
      <ul class="entries">
        {value.slice(0, MOST_ENTRIES).map((one, i) => (
          <li key={i}>
            <Value name={name} value={one} depth={depth + 1} />
          </li>
        ))}
      </ul>
    );
  }
  if (!isObject(value)) return <>{textOf(name, value)}</>;
  if (depth > DEEPEST) return <code>{JSON.stringify(value)}</code>;
  return (
    <Facts
      facts={Object.entries(value)
        .filter(([, one]) => one !== '' && one !== null)
        .slice(0, MOST_ENTRIES)
        .map(([key, one]) => [titleOf(key), <Value key={key} name={key} value={one} depth={depth + 1} />] as const)}
    />
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const acronyms = /^(os|cpu|gpu|bios|uuid|ip4|ip6|mac|ram)\b/i;

/** `sizeBytes` as `Size`, `osName` as `OS name`. */
function titleOf(name: string): string {
  const words = name
    .replace(/Bytes$/, '')
    .replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
  return titleFromName(words).replace(acronyms, (word) => word.toUpperCase());
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'number' && /(bytes|^size|^total|memory)$/i.test(name) && value >= 1024)
    return formatBytes(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value === null ? '–' : String(value);
}
