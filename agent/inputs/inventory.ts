/**
 * What the machine is: hardware, operating system, virtualisation, disks, network adapters, as one document at the
 * start and once a day. Files are read here; what needs programs is asked in a child process, whose failure takes only
 * its own part away. The interval is an hour at least: this is no sampling path.
 */
import type { Instant } from '../../shared/clock.ts';
import type { ValueOf } from '../../shared/config/schema.ts';
import { boolean, duration, object } from '../../shared/config/types.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { ownCommand } from '../own-command.ts';
import type { Host, Input, InputKind, SampleSink } from './input.ts';
import { outputOf } from './inventory/child.ts';
import { maxDetailBytes } from './inventory/detail.ts';
import { inventoryOfFiles } from './inventory/files.ts';
import { type Inventory, merge, told } from './inventory/parts.ts';

const childDeadlineMs = 28_000;
const deadlineMs = 30_000;

const config = object({
  doc: 'What the machine is.',
  keys: {
    interval: duration({ doc: 'How often it is looked at anew.', default: '1d', min: '1h', max: '90d' }),
    identifiers: boolean({
      doc: 'Whether serial numbers, hardware and network addresses are told too.',
      default: false,
    }),
  },
});
type Config = ValueOf<typeof config>;

/** What the child writes: JSON of an `Inventory`. */
export type AskChild = (identifiers: boolean, signal: AbortSignal) => Promise<string>;

class InventoryInput implements Input {
  readonly #host: Host;
  readonly #identifiers: boolean;
  readonly #ask: AskChild;

  constructor(host: Host, identifiers: boolean, ask: AskChild) {
    this.#host = host;
    this.#identifiers = identifiers;
    this.#ask = ask;
  }

  async read(_now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    const files = await inventoryOfFiles(this.#host, this.#identifiers);
    let detail: Inventory;
    try {
      detail = parseDetail(await this.#ask(this.#identifiers, signal));
    } catch (error) {
      if (signal.aborted) return;
      // No failure of the input: it would be tried again, at the cost of a process, in a second.
      detail = { resource: {}, missing: [messageOf(error)] };
      this.#host.log.warn(
        { input: 'inventory', code: 'input.failed' },
        `The inventory is not whole. ${messageOf(error)}`,
      );
    }
    if (!signal.aborted) sink.document('inventory', told(ordered(files, detail)));
  }

  async close(): Promise<void> {}
}

/** On Linux the files know better than the programs what they both tell; elsewhere they tell little. */
function ordered(files: Inventory, detail: Inventory): Inventory {
  return files.resource['os.type'] === 'linux' ? merge(detail, files) : merge(files, detail);
}

function parseDetail(text: string): Inventory {
  const detail: unknown = JSON.parse(text);
  if (typeof detail !== 'object' || detail === null || !('resource' in detail)) {
    throw new PicketError('input.failed', 'The child process wrote no inventory.');
  }
  return detail as Inventory;
}

const askChild: AskChild = (identifiers, signal) =>
  outputOf(ownCommand('inventory-child', ...(identifiers ? ['--identifiers'] : [])), {
    deadlineMs: childDeadlineMs,
    maxBytes: maxDetailBytes,
    signal,
  });

/** @param ask how the part that needs a child process is got; tests have their own */
export function inventoryKind(ask: AskChild): InputKind<Config> {
  return {
    doc: 'Hardware, operating system, virtualisation, disks and network adapters, as a document once a day.',
    config,
    automatic: () => true,
    timing: ({ interval }) => ({ intervalMs: interval, deadlineMs }),
    open: async (settings: Config, host: Host) => new InventoryInput(host, settings.identifiers, ask),
  };
}

export const inventory: InputKind<Config> = inventoryKind(askChild);
